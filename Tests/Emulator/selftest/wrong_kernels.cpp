// Kernels that are wrong, and what the emulator says before it ends the program.
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "check.h"

namespace {

/// Whether what is done, in a process of its own, ends with a message that has both in it.
template <class Body> bool dies_of(const std::string &words, const std::string &place, Body body) {
    int ends[2];
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        body();
        cuStreamSynchronize(stream);
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    char buffer[512];
    for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, size_t(count));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    bool as_said = WIFSIGNALED(status) && text.find(words) != std::string::npos &&
                   text.find(place) != std::string::npos;
    if (!as_said) fprintf(stderr, "%s ended otherwise than by '%s':\n%s", place.c_str(), words.c_str(), text.c_str());
    return as_said;
}

/// Whether a launch does.
template <class Arguments>
bool ends_with(const char *words, const char *name, unsigned block, Arguments arguments) {
    std::string place = std::string("kernel ") + name + ", block (0, 0, 0), thread (";
    return dies_of(words, place, [&] { launch(name, 1, block, arguments); });
}

}  // namespace

void test_wrong_kernels() {
    Array<int> ints(std::vector<int>(64));
    Array<float> floats(std::vector<float>(64));
    auto told = [&](int count) { return test_ints{nullptr, ints.pointer(), nullptr, count}; };
    CHECK(ends_with("byte 256 of a block of 256 bytes", "writes_behind", 1, told(64)));
    CHECK(ends_with("before", "writes_behind", 1, told(-2000)));
    CHECK(ends_with("index 4 is outside of the array", "writes_outside_of_shared", 1, told(4)));
    test_floats misaligned = {floats.pointer(), floats.pointer(), 1, 0};
    CHECK(ends_with("no multiple of 16", "reads_misaligned", 1, misaligned));
    CHECK(ends_with("is at the barrier", "divergent_barrier", 64, told(40)));
    CHECK(ends_with("no thread can go on", "lane_never_comes", 32, told(3)));
    CHECK(ends_with("reads from lane 20, which has ended", "shuffles_from_ended", 32, told(20)));
    CHECK(ends_with("is not in the mask 0x00000001", "not_in_mask", 32, told(0)));
    CHECK(ends_with("that nothing changes", "waits_forever", 32, told(0)));
    // Nothing waits for what still uses the memory that is freed.
    CHECK(dies_of("freed memory", "kernel add_one", [] {
        Array<float> input(64), output(64);
        launch("add_one", 1, 64, test_floats{input.pointer(), output.pointer(), 64, 0});
    }));
}
