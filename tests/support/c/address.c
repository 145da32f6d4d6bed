/*
 * The first thing that it needs: ethwe's address; then what else the container has for it. One
 * line, and exit code 3.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define AF_NETLINK_ 16

int main(int argc, char **argv)
{
    struct ifreq request = {0};
    strcpy(request.ifr_name, "ethwe");
    int inet = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(inet, SIOCGIFADDR, &request)) {
        printf("no address: %s\n", strerror(errno));
        return 1;
    }
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
    printf("%s uid=%d netlink=%s sys=%s argv=%s,%s\n", inet_ntoa(address->sin_addr), (int)getuid(),
           socket(AF_NETLINK_, SOCK_RAW, 0) < 0 ? "no" : "yes",
           access("/proc/sys/kernel", F_OK) ? "no" : "yes", argv[0], argc > 1 ? argv[1] : "");
    return fflush(stdout) ? 1 : 3;
}
