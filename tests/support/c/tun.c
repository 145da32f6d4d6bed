/*
 * A VPN, as its container's neighbours see it: tun NAME ADDRESS/PREFIX makes a tun device that is
 * up and has the address as soon as USR1 comes, and holds it until it is killed.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed(const char *what)
{
    perror(what);
    return 1;
}

int main(int argc, char **argv)
{
    int number;
    sigset_t connected;
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
    char *slash = argc == 3 ? strchr(argv[2], '/') : NULL;
    if (!slash)
        return 2;
    *slash = 0;
    sigemptyset(&connected);
    sigaddset(&connected, SIGUSR1);
    sigprocmask(SIG_BLOCK, &connected, NULL);
    sigwait(&connected, &number);
    int tun = open("/dev/net/tun", O_RDWR), sock = socket(AF_INET, SOCK_DGRAM, 0);
    strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &request))
        return failed("/dev/net/tun");
    address->sin_family = AF_INET;
    inet_pton(AF_INET, argv[2], &address->sin_addr);
    if (ioctl(sock, SIOCSIFADDR, &request))
        return failed("SIOCSIFADDR");
    address->sin_addr.s_addr = htonl(~0U << (32 - atoi(slash + 1)));
    if (ioctl(sock, SIOCSIFNETMASK, &request))
        return failed("SIOCSIFNETMASK");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(sock, SIOCSIFFLAGS, &request))
        return failed("SIOCSIFFLAGS");
    for (;;)
        pause();
}
