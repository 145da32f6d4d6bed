/*
 * The gate's job in C, as the limit to compare the gate with: subscribe, dump links and
 * addresses, follow, exec. For one IPv4 address on one interface, and for benchmarks alone: it
 * checks nothing, and catches no signals.
 *
 *   limit IFACE ADDRESS COMMAND [ARG...]   wait for ADDRESS ("10.2.1.5") on IFACE, up with carrier
 *   limit --stamp                          print CLOCK_MONOTONIC in nanoseconds: "executing now"
 */
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* linux/if.h and net/if.h do not go together with musl. */
#define UP 0x1
#define LOWER_UP 0x10000

static const char *wanted_name;
static struct in_addr wanted_address;
static int index_of_it = -1, has_address, is_up, dumped;

static int stamp(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
	return 0;
}

static void take_link(struct nlmsghdr *message)
{
	struct ifinfomsg *link = NLMSG_DATA(message);
	struct rtattr *attribute = IFLA_RTA(link);
	int length = IFLA_PAYLOAD(message);

	if (link->ifi_family != AF_UNSPEC)
		return;
	for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length))
		if (attribute->rta_type == IFLA_IFNAME &&
		    strcmp(RTA_DATA(attribute), wanted_name) == 0) {
			index_of_it = link->ifi_index;
			is_up = (link->ifi_flags & UP) && (link->ifi_flags & LOWER_UP);
		}
}

static void take_address(struct nlmsghdr *message)
{
	struct ifaddrmsg *address = NLMSG_DATA(message);
	struct rtattr *attribute = IFA_RTA(address);
	int length = IFA_PAYLOAD(message);

	if (address->ifa_family != AF_INET || (int)address->ifa_index != index_of_it)
		return;
	for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length))
		if (attribute->rta_type == IFA_LOCAL &&
		    memcmp(RTA_DATA(attribute), &wanted_address, sizeof wanted_address) == 0)
			has_address = message->nlmsg_type == RTM_NEWADDR;
}

static void ask(int sock, int type)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
	} request = {
		.header = { .nlmsg_len = sizeof request, .nlmsg_type = type,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = type },
	};
	send(sock, &request, sizeof request, 0);
}

static void take(int sock, struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		take_link(message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_address(message);
		break;
	case NLMSG_DONE:
		if (message->nlmsg_seq == RTM_GETLINK)
			ask(sock, RTM_GETADDR);
		else
			dumped = 1;
	}
}

int main(int argc, char **argv)
{
	static char buffer[32768] __attribute__((aligned(4)));
	struct sockaddr_nl us = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int sock, length;

	if (argc == 2 && strcmp(argv[1], "--stamp") == 0)
		return stamp();
	if (argc < 4 || !inet_aton(argv[2], &wanted_address))
		return 2;
	wanted_name = argv[1];
	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (sock < 0 || bind(sock, (struct sockaddr *)&us, sizeof us) < 0)
		return 125;
	ask(sock, RTM_GETLINK);
	while (!(dumped && is_up && has_address)) {
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;

		length = recv(sock, buffer, sizeof buffer, 0);
		if (length < 0)
			return 125;
		for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length))
			take(sock, message);
	}
	execv(argv[3], argv + 3);
	return 127;
}
