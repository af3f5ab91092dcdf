// A static library needs a source; this app keeps all its code in main.cpp.
