/*
 * A gate that looks each 100 ms, as the first wait-for-weave did, to compare the gate with. For one
 * IPv4 address on one interface, and for benchmarks alone.
 *
 *   poll IFACE ADDRESS COMMAND [ARG...]   wait for ADDRESS ("10.2.1.5") on IFACE, up with carrier
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int is_there(const char *name, struct in_addr wanted)
{
	struct ifaddrs *all, *one;
	unsigned int up = IFF_UP | IFF_RUNNING;
	int found = 0;

	if (getifaddrs(&all))
		return 0;
	for (one = all; one; one = one->ifa_next)
		if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
		    strcmp(one->ifa_name, name) == 0 && (one->ifa_flags & up) == up)
			found |= ((struct sockaddr_in *)one->ifa_addr)->sin_addr.s_addr == wanted.s_addr;
	freeifaddrs(all);
	return found;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct in_addr wanted;

	if (argc < 4 || !inet_aton(argv[2], &wanted))
		return 2;
	while (!is_there(argv[1], wanted))
		nanosleep(&pause, NULL);
	execv(argv[3], argv + 3);
	return 127;
}
