/*
 * One TERM to the first process of a pid namespace, again and again, each time at another moment.
 * The kernel drops it where that process has no handler and does not block it.
 *
 *   term steps FIRST STRIDE COMMAND...   at the FIRST-th stop of a system call after COMMAND's
 *                                        exec, STRIDE stops later, ..., until it is program
 *   term storm COUNT SEED COMMAND...     COUNT times, at random
 *   term program                         what COMMAND becomes: it has a handler, says "ready",
 *                                        and "TERM" or, asked by ASK, that there was "none"
 *
 * Prints a line each time: where it was just before and just after, the number of the system call
 * and whether it is at its end (steps), and who took the signal: gate, program, lost or odd.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ASK SIGWINCH /* a higher number: a TERM that is there too comes first */
#define NT_PRSTATUS 1
#define SYSCALL_STOP (SIGTRAP | 0x80)

static void say(int number)
{
    const char *said = number == SIGTERM ? "TERM\n" : "none\n";
    _exit(write(1, said, 5) != 5);
}

static void await_signal(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigsuspend(&none);
}

static int program(void)
{
    struct sigaction action = {.sa_handler = say};
    sigfillset(&action.sa_mask);
    sigaction(ASK, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (write(1, "ready\n", 6) != 6)
        return 1;
    for (;;)
        await_signal();
}

struct trial {
    pid_t pid;
    int out;
};

/* Started, and at the exec: `go` lets it run there. */
static struct trial start(char **command, int traced)
{
    int out[2], go[2], done[2];
    if (pipe2(out, O_CLOEXEC) || pipe2(go, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
        exit(3);
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (!pid) {
        char byte;
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(out[1], 1);
        dup2(null, 2);
        close(null);
        /* The same memory each time, and so the same system calls. */
        if (traced)
            personality(ADDR_NO_RANDOMIZE);
        if (read(go[0], &byte, 1) == 1)
            execv(command[0], command);
        _exit(4);
    }
    if (pid < 0)
        exit(3);
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (traced && ptrace(PTRACE_SEIZE, pid, 0, options))
        exit(5);
    close(out[1]);
    close(done[1]);
    if (write(go[1], "", 1) != 1)
        exit(3);
    /* The end of this pipe is the exec, which closes it there. */
    char byte;
    if (!traced && read(done[0], &byte, 1) != 0)
        exit(3);
    close(go[0]);
    close(go[1]);
    close(done[0]);
    return (struct trial){pid, out[0]};
}

/* In the order of their coming. */
enum place { EXEC, LAUNCHER, START, WATCHING, HANDING, PROGRAM_START, PROGRAM, GONE };
static const char *const names[] = {"exec", "launcher", "start", "watching", "handing",
                                    "program-start", "program", "gone"};

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && !strcmp(text + length - wanted, end);
}

/* The gate has a pipe of its own once it has handlers, and still when it has none any more. */
static int has_a_pipe(pid_t pid)
{
    char path[64], target[64];
    for (int fd = 3; fd < 9; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        ssize_t length = readlink(path, target, sizeof target);
        if (length > 5 && !memcmp(target, "pipe:", 5))
            return 1;
    }
    return 0;
}

static uint64_t signal_set(const char *status, const char *field)
{
    const char *line = strstr(status, field);
    return line ? strtoull(line + strlen(field), NULL, 16) : 0;
}

/* The program that it runs, or "" if it is gone. */
static void executable(pid_t pid, char exe[4096])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t length = readlink(path, exe, 4095);
    exe[length < 0 ? 0 : length] = 0;
}

static enum place where_in(pid_t pid, const char *exe)
{
    char path[64], status[4096];
    if (!*exe)
        return GONE;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, status, sizeof status - 1);
    close(fd);
    status[length < 0 ? 0 : length] = 0;
    uint64_t term = 1ULL << (SIGTERM - 1);
    int caught = !!(signal_set(status, "SigCgt:") & term);
    int blocked = !!(signal_set(status, "SigBlk:") & term);
    if (ends_with(exe, "/lib/wait-for-weave"))
        return caught ? WATCHING : has_a_pipe(pid) ? HANDING : START;
    if (ends_with(exe, "/wait-for-weave"))
        return blocked ? LAUNCHER : EXEC;
    return caught ? PROGRAM : PROGRAM_START;
}

/* All of it of one program: an exec while it is looked at gives the old one's name to the new one. */
static enum place where(pid_t pid)
{
    char exe[4096], still[4096];
    enum place place;
    do {
        executable(pid, exe);
        place = where_in(pid, exe);
        executable(pid, still);
    } while (strcmp(exe, still));
    return place;
}

/* Who took it: its end has to come, if it was not lost; and then because it is asked. */
static const char *outcome(struct trial trial, int asked)
{
    char said[64] = "";
    size_t length = 0;
    ssize_t got;
    while ((got = read(trial.out, said + length, sizeof said - 1 - length)) > 0) {
        length += (size_t)got;
        if (!asked && strstr(said, "ready\n")) {
            kill(trial.pid, ASK);
            asked = 1;
        }
    }
    close(trial.out);
    int status;
    waitpid(trial.pid, &status, 0);
    if (strstr(said, "TERM\n"))
        return "program";
    if (strstr(said, "none\n"))
        return "lost";
    return !length && WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM ? "gate" : "odd";
}

static long system_call(pid_t pid)
{
    unsigned long long registers[64];
    struct iovec all = {registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all);
#ifdef __x86_64__
    return (long)registers[15]; /* orig_rax of struct user_regs_struct */
#else
    return (long)registers[8];
#endif
}

/* To the n-th stop after the first exec, or until program sleeps; 0 if it ended before that. */
static int run_to(pid_t pid, int stop)
{
    int status, executed = 0;
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        executed |= status >> 16 == PTRACE_EVENT_EXEC;
        if (executed && WSTOPSIG(status) == SYSCALL_STOP && (!stop-- || system_call(pid) == SYS_rt_sigsuspend))
            return 1;
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
    }
    return 0;
}

static int steps(int first, int stride, char **command)
{
    enum place place = EXEC;
    for (int stop = first; place < PROGRAM; stop += stride) {
        struct trial trial = start(command, 1);
        ptrace(PTRACE_INTERRUPT, trial.pid, 0, 0);
        if (!run_to(trial.pid, stop))
            return 6;
        place = where(trial.pid);
        long call = system_call(trial.pid);
        kill(trial.pid, SIGTERM);
        ptrace(PTRACE_DETACH, trial.pid, 0, 0);
        printf("%s %s %ld %d %s\n", names[place], names[place], call, stop, outcome(trial, 0));
    }
    return 0;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* How long it takes to be program, here and now: the machine may have more to do than this. */
static double time_to_program(char **command)
{
    double begun = now();
    struct trial trial = start(command, 0);
    struct pollfd ready = {trial.out, POLLIN, 0};
    poll(&ready, 1, -1);
    double taken = now() - begun;
    outcome(trial, 0);
    return taken;
}

static int storm(int count, unsigned seed, char **command)
{
    double span = 0;
    srandom(seed);
    for (int n = 0; n < count; n++) {
        if (n % 50 == 0)
            span = time_to_program(command);
        struct trial trial = start(command, 0);
        double after = 1.3 * span * (double)random() / (double)RAND_MAX;
        struct timespec moment = {(time_t)after, (long)((after - (double)(time_t)after) * 1e9)};
        ppoll(NULL, 0, &moment, NULL);
        enum place before = where(trial.pid);
        kill(trial.pid, SIGTERM);
        enum place behind = where(trial.pid);
        printf("%s %s 0 0 %s\n", names[before], names[behind], outcome(trial, 0));
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "program"))
        return program();
    if (argc < 5)
        return 2;
    int first = atoi(argv[2]), second = atoi(argv[3]);
    return !strcmp(argv[1], "steps") ? steps(first, second, argv + 4)
                                     : storm(first, (unsigned)second, argv + 4);
}
