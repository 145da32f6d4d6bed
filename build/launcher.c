/*
 * The static launcher: what the kernel starts as /home/weavewait/wait-for-weave (GATE defined),
 * and as /opt/weavewait/weavewait (not defined).
 *
 * It starts the frozen program beside it, in lib/, through the loader that lies there too: so the
 * bundle needs no libc of the container's, and runs from any place. The loader, libc, Python and
 * PyInstaller's bootloader obey environment variables that are the container's and meant for its
 * own program; those entries are hidden by a byte before each, and the rest is left as it is.
 *
 * The gate's process must be given back as it was found, and must lose no signal (shared/linux.md):
 * all signals are blocked first of all, since PID 1 drops one without a handler, and a blocked one
 * stays pending. What was found goes to the gate as the last entry of its environment,
 * _WFW_LAUNCH=MASK,FLAGS,PATH (waitforweave/gate/launcher.py reads it). Started again by the gate
 * with RESTORE as its name, the launcher brings the hidden entries back and executes the command.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef GATE
#define NAME "wait-for-weave"
#else
#define NAME "weavewait"
#endif
#define RESTORE "\001" NAME "-restore"
#define PATH_BYTES 4096
#define LOG_MILLISECONDS 100
#define MARK '\001' /* before an entry that is hidden */
#define SIGPIPE_IGNORED 1
#define SIGXFSZ_IGNORED 2
#define HIDDEN 4

extern char **environ;

/* Names, or beginnings of names, that steer what runs before our own code does: ld.so(8),
 * mallopt(3), setlocale(3), PyInstaller's bootloader (bootloader/src/pyi_main.c). */
static const char *const steering[] = {
    "LD_",   "GLIBC_TUNABLES=", "MALLOC_",      "GCONV_PATH=", "LOCPATH=",
    "_PYI_", "_MEIPASS2=",      "PYINSTALLER_", "_WFW_LAUNCH=",
};

/* An entry that looks hidden already is hidden too: it gets one mark more, and gives it back. A
 * mark that only changed a byte could not do both: what looks hidden would become visible. */
static int steers(const char *entry)
{
    entry += strspn(entry, (char[]){MARK, 0});
    for (size_t i = 0; i < sizeof steering / sizeof *steering; i++)
        if (!strncmp(entry, steering[i], strlen(steering[i])))
            return 1;
    return 0;
}

/* Each in its place, so that the program finds the order as it was. 1 if there were any, 0 if
 * none, -1 without memory. */
static int hide_entries(void)
{
    int hidden = 0;
    for (char **entry = environ; *entry; entry++)
        if (steers(*entry)) {
            char *marked = malloc(strlen(*entry) + 2);
            if (!marked)
                return -1;
            *marked = MARK;
            strcpy(marked + 1, *entry);
            *entry = marked;
            hidden = 1;
        }
    return hidden;
}

/* Where nobody reads that, it is dropped, as the gate does (waitforweave/gate/report.py): a full
 * pipe would keep us for ever, and a broken one end us by SIGPIPE, both after the hand-over. */
static int failed(const char *path, int exit_code)
{
    const char *reason = strerror(errno);
    struct pollfd log = {2, POLLOUT, 0};
    if (poll(&log, 1, LOG_MILLISECONDS) == 1 && log.revents == POLLOUT)
        dprintf(2, NAME ": %s: %s\n", path, reason);
    return exit_code;
}

/* Where this file lies: as it was executed, which needs no /proc; else what /proc says. */
static int find_folder(char *path)
{
    const char *executed = (const char *)getauxval(AT_EXECFN);
    if (!executed || !realpath(executed, path)) {
        ssize_t length = readlink("/proc/self/exe", path, PATH_BYTES - 1);
        if (length < 0)
            return 0;
        path[length] = 0;
    }
    *strrchr(path, '/') = 0;
    return 1;
}

#ifdef GATE
static int ignored(int number)
{
    struct sigaction action;
    return !sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN;
}

/* All but the two that glibc keeps for itself (nptl/pthreadP.h: SIGCANCEL, SIGSETXID). Those stay
 * as they are: Python's libc would not let it put them back. */
#define GLIBCS_OWN (1ULL << (32 - 1) | 1ULL << (33 - 1))

static unsigned long long block_all_signals(void)
{
    unsigned long long all = ~GLIBCS_OWN, before = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
    return before;
}

/* The gate has put signals back already; nothing but the names and the exec is left to do. */
static int restore(char **argv)
{
    for (char **entry = environ; *entry; entry++)
        if (**entry == MARK && steers(*entry))
            ++*entry;
    execve(argv[1], argv + 2, environ);
    int found = errno != ENOENT && errno != ENOTDIR;
    return failed(argv[1], found ? 126 : 127);
}
#endif

/* The environment, and after it the entries that are ours. */
static char **extended(const char *const ours[])
{
    size_t there = 0, added = 0;
    while (environ[there])
        there++;
    while (ours[added])
        added++;
    char **all = malloc((there + added + 1) * sizeof *all);
    if (all) {
        memcpy(all, environ, there * sizeof *all);
        memcpy(all + there, ours, (added + 1) * sizeof *all);
    }
    return all;
}

int main(int argc, char **argv)
{
#ifdef GATE
    if (argc > 2 && !strcmp(argv[0], RESTORE))
        return restore(argv);
    unsigned long long mask = block_all_signals();
    int flags = (ignored(SIGPIPE) ? SIGPIPE_IGNORED : 0) | (ignored(SIGXFSZ) ? SIGXFSZ_IGNORED : 0);
#endif
    char folder[PATH_BYTES], loader[PATH_BYTES + 32], program[PATH_BYTES + 32];
    char library[PATH_BYTES + 32], archive[PATH_BYTES + 64];
    if (!find_folder(folder))
        return failed("its own folder cannot be found", 125);
    snprintf(library, sizeof library, "%s/lib", folder);
    snprintf(loader, sizeof loader, "%s/lib/" NAME, folder);
    snprintf(program, sizeof program, "%s/lib/bootloader", folder);
    snprintf(archive, sizeof archive, "_PYI_ARCHIVE_FILE=%s", loader);
    int hidden = hide_entries();

    /* With these two the bootloader sees itself as set up already, and does not exec itself once
     * more for the sake of LD_LIBRARY_PATH (0.75 ms). */
    const char *ours[] = {archive, "_PYI_PARENT_PROCESS_LEVEL=-1", NULL, NULL};
#ifdef GATE
    char launch[PATH_BYTES + 64];
    flags |= hidden == 1 ? HIDDEN : 0;
    snprintf(launch, sizeof launch, "_WFW_LAUNCH=%016llx,%d,%s/" NAME, mask, flags, folder);
    ours[2] = launch;
#endif
    char **environment = extended(ours);
    /* As argv[0] the bootloader gets the loader's path: without /proc it finds its archive by that
     * name, and with /proc by /proc/self/exe, which is the loader. */
    char *const front[] = {loader, "--inhibit-cache", "--library-path", library,
                           "--argv0", loader, program};
    size_t words = sizeof front / sizeof *front;
    char **command = malloc((words + (size_t)argc + 1) * sizeof *command);
    if (hidden < 0 || !environment || !command)
        return failed("no memory", 125);
    memcpy(command, front, sizeof front);
    /* The caller's words behind ours, with the NULL that ends them; argc may be 0. */
    size_t rest = argc > 0 ? (size_t)argc - 1 : 0;
    memcpy(command + words, argv + (argc > 0), (rest + 1) * sizeof *command);
    execve(loader, command, environment);
    return failed(loader, 125);
}
