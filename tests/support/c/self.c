/*
 * All that a process can see of itself, a line each: "key value". Static, so that it runs in any
 * root; reads /proc where there is one. Its first act is to look at what looking would change.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#define MAX_FD 1024
#define SIGNALS 64

extern char **environ;

static void text(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte > ' ' && byte < 127 && byte != '\\')
            putchar(byte);
        else
            printf("\\x%02x", byte);
    }
}

static void words(const char *key, char **word)
{
    for (int i = 0; word[i]; i++) {
        printf("%s.%d ", key, i);
        text(word[i], strlen(word[i]));
        putchar('\n');
    }
}

/* Files first: whatever is opened below would be one of them. */
struct file {
    int flags, status;
    long long offset;
};
static struct file files[MAX_FD];

static void look_at_files(void)
{
    for (int fd = 0; fd < MAX_FD; fd++) {
        files[fd].flags = fcntl(fd, F_GETFD);
        files[fd].status = fcntl(fd, F_GETFL);
        files[fd].offset = lseek(fd, 0, SEEK_CUR);
    }
}

static void print_link(const char *key, const char *path)
{
    char target[4096];
    ssize_t length = readlink(path, target, sizeof target);
    printf("%s ", key);
    text(target, length < 0 ? 0 : (size_t)length);
    putchar('\n');
}

static void print_files(void)
{
    char key[64], path[64];
    for (int fd = 0; fd < MAX_FD; fd++) {
        if (files[fd].flags < 0)
            continue;
        printf("fd.%d.flags %d %o %lld\n", fd, files[fd].flags, files[fd].status, files[fd].offset);
        snprintf(key, sizeof key, "fd.%d.target", fd);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        print_link(key, path);
    }
}

static void print_terminal(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        struct termios settings;
        if (tcgetattr(fd, &settings))
            continue;
        printf("tty.%d %s %x %x %x %x %d\n", fd, ttyname(fd) ? ttyname(fd) : "?",
               settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag,
               tcgetpgrp(fd) == getpgrp());
    }
}

static void print_signals(void)
{
    uint64_t set = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, sizeof set);
    printf("signals.blocked %016llx\n", (unsigned long long)set);
    set = 0;
    syscall(SYS_rt_sigpending, &set, sizeof set);
    printf("signals.pending %016llx\n", (unsigned long long)set);
    for (int number = 1; number <= SIGNALS; number++) {
        /* struct kernel_sigaction, of which the first word is the handler. */
        unsigned long action[8] = {0};
        if (!syscall(SYS_rt_sigaction, number, NULL, action, sizeof set) && action[0])
            printf("signals.action.%d %lx\n", number, action[0]);
    }
    stack_t stack;
    sigaltstack(NULL, &stack);
    printf("signals.stack %d\n", stack.ss_flags);
}

static void print_ids(void)
{
    uid_t uid[3];
    gid_t gid[3], groups[256];
    getresuid(&uid[0], &uid[1], &uid[2]);
    getresgid(&gid[0], &gid[1], &gid[2]);
    printf("ids.uid %d %d %d %d\n", uid[0], uid[1], uid[2], setfsuid((uid_t)-1));
    printf("ids.gid %d %d %d %d\n", gid[0], gid[1], gid[2], setfsgid((gid_t)-1));
    int count = getgroups(256, groups);
    printf("ids.groups");
    for (int i = 0; i < count; i++)
        printf(" %d", groups[i]);
    putchar('\n');
}

static void print_limits(void)
{
    for (int which = 0; which < RLIM_NLIMITS; which++) {
        struct rlimit limit;
        if (!getrlimit(which, &limit))
            printf("limit.%d %llx %llx\n", which, (unsigned long long)limit.rlim_cur,
                   (unsigned long long)limit.rlim_max);
    }
}

static void print_scheduling(void)
{
    cpu_set_t cpus;
    struct sched_param param = {0};
    unsigned long mode = 0, nodes[16] = {0};
    CPU_ZERO(&cpus);
    syscall(SYS_sched_getaffinity, 0, sizeof cpus, &cpus);
    syscall(SYS_sched_getparam, 0, &param);
    printf("sched.policy %ld %d\n", syscall(SYS_sched_getscheduler, 0), param.sched_priority);
    printf("sched.cpus %d %lx\n", CPU_COUNT(&cpus), *(unsigned long *)&cpus);
    printf("sched.nice %d\n", getpriority(PRIO_PROCESS, 0));
    printf("sched.ioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
    syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, NULL, 0);
    printf("sched.mempolicy %lu %lx\n", mode, nodes[0]);
}

static void print_timers(void)
{
    static const char *const names[] = {"real", "virtual", "prof"};
    for (int which = 0; which < 3; which++) {
        struct itimerval timer;
        getitimer(which, &timer);
        printf("timer.%s %d %ld\n", names[which], timerisset(&timer.it_value),
               (long)timer.it_interval.tv_sec);
    }
}

static void print_prctl(const char *name, int option)
{
    int value = 0;
    int got = prctl(option, &value, 0, 0, 0);
    printf("prctl.%s %d %d\n", name, got, value);
}

static void print_prctls(void)
{
    print_prctl("pdeathsig", PR_GET_PDEATHSIG);
    print_prctl("subreaper", PR_GET_CHILD_SUBREAPER);
    print_prctl("dumpable", PR_GET_DUMPABLE);
    print_prctl("keepcaps", PR_GET_KEEPCAPS);
    print_prctl("securebits", PR_GET_SECUREBITS);
    print_prctl("timerslack", PR_GET_TIMERSLACK);
    print_prctl("tsc", PR_GET_TSC);
    printf("prctl.no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    printf("prctl.thp_disable %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    printf("prctl.mdwe %d\n", prctl(66, 0, 0, 0, 0)); /* PR_GET_MDWE, new in 6.3 */
    printf("personality %x\n", personality(0xffffffff));
}

/* Without those that count what the process did, or tell its addresses. */
static void print_status(void)
{
    static const char *const others[] = {"Vm", "Rss", "HugetlbPages", "voluntary", "nonvoluntary",
                                         "State", "FDSize", "SigQ", "Pid", "Tgid", "PPid", "NSpid",
                                         "NSpgid", "NSsid", "NStgid", "Ngid"};
    char line[4096];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        int skipped = 0;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            skipped |= !strncmp(line, others[i], strlen(others[i]));
        char *colon = strchr(line, ':');
        if (skipped || !colon)
            continue;
        *colon = 0;
        printf("status.%s ", line);
        text(colon + 2, strcspn(colon + 2, "\n"));
        putchar('\n');
    }
    if (status)
        fclose(status);
}

/* Numbers of processes as what they are to us: two runs have others. */
static const char *whose(long pid)
{
    return pid == 0 ? "none" : pid == 1 ? "first" : pid == getpid() ? "self"
         : pid == getppid() ? "parent" : pid == getsid(0) ? "session" : "another";
}

static void print_family(void)
{
    printf("family.pid %s\n", getpid() == 1 ? "first" : "later");
    printf("family.parent %s\n", whose(getppid()));
    printf("family.group %s\n", whose(getpgrp()));
    printf("family.session %s\n", whose(getsid(0)));
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    printf("family.children_had %d\n", used.ru_maxrss != 0);
    char line[4096] = "";
    FILE *stat = fopen("/proc/self/stat", "r");
    int tty = 0, foreground = 0, threads = 0;
    if (stat && fgets(line, sizeof line, stat) && strrchr(line, ')'))
        sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %d %d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
               "%*d %*d %d", &tty, &foreground, &threads);
    if (stat)
        fclose(stat);
    printf("family.tty %s %s\n", tty ? "yes" : "no", foreground > 0 ? whose(foreground) : "none");
    printf("family.threads %d\n", threads);
}

static void print_file(const char *name)
{
    char path[128], content[4096];
    snprintf(path, sizeof path, "/proc/self/%s", name);
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, content, sizeof content);
    printf("proc.%s ", name);
    text(content, length < 0 ? 0 : (size_t)length);
    putchar('\n');
    close(fd);
}

static void print_proc(void)
{
    static const char *const names[] = {
        "comm", "oom_score_adj", "coredump_filter", "loginuid", "sessionid", "attr/current",
        "attr/exec", "cpuset", "cgroup", "uid_map", "gid_map", "setgroups", "timerslack_ns",
        "task/self/children", "wchan"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        print_file(names[i]);
    static const char *const links[] = {"exe", "cwd", "root", "ns/net", "ns/pid", "ns/mnt",
                                        "ns/user", "ns/ipc", "ns/uts", "ns/cgroup", "ns/time",
                                        "ns/pid_for_children"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char key[64], path[64];
        snprintf(key, sizeof key, "link.%s", links[i]);
        snprintf(path, sizeof path, "/proc/self/%s", links[i]);
        print_link(key, path);
    }
}

int main(int argc, char **argv)
{
    look_at_files();
    mode_t mask = umask(0);
    umask(mask);
    printf("argc %d\numask %o\n", argc, mask);
    words("argv", argv);
    words("environ", environ);
    printf("auxv.secure %lu\nauxv.execfn %s\n", getauxval(AT_SECURE),
           (const char *)getauxval(AT_EXECFN));
    print_files();
    print_terminal();
    print_signals();
    print_ids();
    print_limits();
    print_scheduling();
    print_timers();
    print_prctls();
    print_status();
    print_family();
    print_proc();
    return fflush(stdout) != 0;
}
