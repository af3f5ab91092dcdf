#include "apps/cli/context.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/cli/folder.hpp"

using namespace bencher;
using namespace bencher::cli;

namespace {
const std::string hash_a(40, 'a'), hash_b(40, 'b');
}

TEST_SUITE("cli/context") {
  TEST_CASE("fingerprints have the known check values") {
    CHECK(fingerprint_of(0, 0) == "p78ezm4408me2");
    CHECK(fingerprint_of(~0ull, ~0ull) == "sojl95mcwtr81");
    CHECK(fingerprint_of_text("12345678-1234-5678-1234-567812345678\n") == "cws1tbnfkj8h3");
    CHECK(fingerprint_of_text("0") == "p78ezm4408me2");
    CHECK_FALSE(fingerprint_of_text("").has_value());
    CHECK_FALSE(fingerprint_of_text("uninitialized").has_value());
    CHECK_FALSE(fingerprint_of_text(std::string(33, '1')).has_value());
  }

  TEST_CASE("a repository is found from a folder within it") {
    test::Folder folder;
    folder.write("my-repo/.git/HEAD", "ref: refs/heads/feature/x\n");
    folder.write("my-repo/.git/refs/heads/feature/x", hash_a + "\n");
    folder.write("my-repo/src/deep/file", "");
    const auto found = find_repository(folder.path("my-repo/src/deep"));
    REQUIRE(found.has_value());
    CHECK(found->name == "my-repo");
    CHECK(found->reference == "refs/heads/feature/x");
    CHECK(found->commit == hash_a);
    CHECK(found->root_commit.empty());

    const auto context = run_context(folder.path("my-repo"));
    CHECK(context["bencher.dev/v0/repo/name"].text() == "my-repo");
    CHECK(context["bencher.dev/v0/branch/ref"].text() == "refs/heads/feature/x");
    CHECK(context["bencher.dev/v0/branch/ref/name"].text() == "feature/x");
    CHECK(context["bencher.dev/v0/branch/hash"].text() == hash_a);
    CHECK(context["bencher.dev/v0/testbed/os"].text() == "Linux");
    CHECK_FALSE(context.contains("bencher.dev/v0/repo/hash"));
  }

  TEST_CASE("packed references count, and a loose one wins over them") {
    test::Folder folder;
    folder.write("r/.git/HEAD", "ref: refs/heads/main\n");
    folder.write("r/.git/packed-refs", "# pack-refs with: peeled\n" + hash_b + " refs/heads/main2\n" + hash_a +
                                           " refs/heads/main\n^" + hash_b + "\n");
    CHECK(find_repository(folder.path("r"))->commit == hash_a);
    folder.write("r/.git/refs/heads/main", hash_b);
    CHECK(find_repository(folder.path("r"))->commit == hash_b);
  }

  TEST_CASE("a detached HEAD has a commit and no branch, an unborn one a branch and no commit") {
    test::Folder folder;
    folder.write("r/.git/HEAD", hash_a + "\n");
    CHECK(find_repository(folder.path("r"))->commit == hash_a);
    CHECK(find_repository(folder.path("r"))->reference.empty());
    folder.write("r/.git/HEAD", "ref: refs/heads/main\n");
    CHECK(find_repository(folder.path("r"))->commit.empty());
    CHECK_FALSE(run_context(folder.path("r")).contains("bencher.dev/v0/branch/hash"));
  }

  TEST_CASE("a linked work tree has its own HEAD and the references of its repository") {
    test::Folder folder;
    folder.write("main/.git/HEAD", "ref: refs/heads/main\n");
    folder.write("main/.git/refs/heads/topic", hash_b);
    folder.write("main/.git/worktrees/linked/HEAD", "ref: refs/heads/topic\n");
    folder.write("main/.git/worktrees/linked/commondir", "../..\n");
    folder.write("linked-tree/.git", "gitdir: ../main/.git/worktrees/linked\n");
    const auto found = find_repository(folder.path("linked-tree"));
    REQUIRE(found.has_value());
    CHECK(found->name == "linked-tree");
    CHECK(found->reference == "refs/heads/topic");
    CHECK(found->commit == hash_b);
  }

  TEST_CASE("hostile files lead nowhere") {
    test::Folder folder;
    folder.write("secret", hash_a);
    folder.write("r/.git/HEAD", "ref: ../../secret\n");
    CHECK(find_repository(folder.path("r"))->commit.empty());
    folder.write("r/.git/HEAD", "ref: refs/heads/loop\n");
    folder.write("r/.git/refs/heads/loop", "ref: refs/heads/loop\n");
    CHECK(find_repository(folder.path("r"))->commit.empty());
    folder.write("r/.git/HEAD", std::string(100'000, 'x'));
    CHECK_FALSE(find_repository(folder.path("r")).has_value());
    CHECK_FALSE(find_repository(folder.path("missing")).has_value());
  }

  TEST_CASE("the root commit is asked of git where it is installed") {
    test::Folder folder;
    const auto git = "cd '" + folder.path("") +
                     "' && git init -q -b trunk real && cd real && git -c user.name=n -c user.email=e@example.com "
                     "commit -q --allow-empty -m 1 && "
                     "git -c user.name=n -c user.email=e@example.com commit -q --allow-empty -m 2 >/dev/null 2>&1";
    if (std::system(git.c_str()) != 0) {
      MESSAGE("no git program; its part is not tested");
      return;
    }
    const auto found = find_repository(folder.path("real"));
    REQUIRE(found.has_value());
    CHECK(found->reference == "refs/heads/trunk");
    CHECK(found->root_commit.size() == 40);
    CHECK(found->root_commit != found->commit);
    folder.write("real/.git/shallow", hash_a);
    CHECK(find_repository(folder.path("real"))->root_commit.empty());
  }
}
