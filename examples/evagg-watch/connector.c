/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "connector.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "failure.h"
#include "process_details.h"

#define KERNEL_BUFFER_BYTES (4 * 1024 * 1024)
#define ANSWER_MILLISECONDS 1000
#define MESSAGES_A_READ 256
#define MESSAGE_BYTES 8192
#define SUBSCRIPTION_BYTES 64

static struct process_details details;

static void fail_to_open(int error) {
    if (error == EPERM || error == EACCES) {
        fail(EX_NOPERM, "no permission to watch processes: needs root or CAP_NET_ADMIN "
                        "(--no-processes does without)");
    }
    fail(EX_UNAVAILABLE, "the kernel's process connector: %s (--no-processes does without)",
         strerror(error));
}

_Static_assert(sizeof(struct nlmsghdr) + sizeof(struct cn_msg) + sizeof(enum proc_cn_mcast_op) <=
                   SUBSCRIPTION_BYTES,
               "the subscription fits");

static bool send_subscription(struct mnl_socket *socket, enum proc_cn_mcast_op operation) {
    char buffer[SUBSCRIPTION_BYTES] __attribute__((aligned(8))) = {0};
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = NLMSG_DONE;
    header->nlmsg_pid = mnl_socket_get_portid(socket);
    struct cn_msg *message =
        mnl_nlmsg_put_extra_header(header, sizeof(struct cn_msg) + sizeof operation);
    message->id.idx = CN_IDX_PROC;
    message->id.val = CN_VAL_PROC;
    message->len = sizeof operation;
    memcpy(message->data, &operation, sizeof operation);
    return mnl_socket_sendto(socket, header, header->nlmsg_len) >= 0;
}

/* False unless the message holds an event of the process connector. */
static bool read_event(const struct nlmsghdr *header, struct proc_event *event) {
    struct cn_msg message;
    size_t length = mnl_nlmsg_get_payload_len(header);
    const char *payload = mnl_nlmsg_get_payload(header);
    if (header->nlmsg_type != NLMSG_DONE || length < sizeof message) {
        return false;
    }
    memcpy(&message, payload, sizeof message);
    if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC) {
        return false;
    }
    /* The event is not aligned for its 64-bit time, and its size differs between kernels. */
    size_t event_length = length - sizeof message;
    if (event_length < offsetof(struct proc_event, event_data) + sizeof event->event_data.exec) {
        return false;
    }
    memset(event, 0, sizeof *event);
    memcpy(event, payload + sizeof message,
           event_length < sizeof *event ? event_length : sizeof *event);
    return true;
}

/* True once the subscription has been answered; events that come first are before the start. */
static bool receive_answer(struct mnl_socket *socket) {
    char buffer[MESSAGE_BYTES] __attribute__((aligned(8)));
    ssize_t received = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
    if (received < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
        fail_to_open(errno);
    }
    int length = received < 0 ? 0 : (int)received;
    for (const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)buffer;
         mnl_nlmsg_ok(header, length); header = mnl_nlmsg_next(header, &length)) {
        struct proc_event event;
        if (read_event(header, &event) && event.what == PROC_EVENT_NONE) {
            if (event.event_data.ack.err != 0) {
                fail_to_open((int)event.event_data.ack.err);
            }
            return true;
        }
    }
    return false;
}

static void await_answer(struct mnl_socket *socket) {
    struct pollfd waiting = {.fd = mnl_socket_get_fd(socket), .events = POLLIN};
    do {
        /* The kernel says nothing at all to a listener outside of its first process namespace. */
        if (poll(&waiting, 1, ANSWER_MILLISECONDS) <= 0) {
            fail(EX_UNAVAILABLE, "the kernel's process connector does not answer; in a container "
                                 "it never does (--no-processes does without)");
        }
    } while (!receive_answer(socket));
}

struct mnl_socket *connector_open(void) {
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_CONNECTOR, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket == NULL) {
        fail_to_open(errno);
    }
    int size = KERNEL_BUFFER_BYTES;
    /* Without the privilege the smaller default buffer has to do. */
    (void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (mnl_socket_bind(socket, CN_IDX_PROC, MNL_SOCKET_AUTOPID) < 0 ||
        !send_subscription(socket, PROC_CN_MCAST_LISTEN)) {
        fail_to_open(errno);
    }
    await_answer(socket);
    process_details_open(&details);
    return socket;
}

void connector_close(struct mnl_socket *socket) {
    (void)send_subscription(socket, PROC_CN_MCAST_IGNORE);
    (void)mnl_socket_close(socket);
    process_details_close(&details);
}

static void record_start(struct watch *watch, pid_t process_id, int64_t time) {
    watch->counts.processes_started++;
    if (!process_details_read(&details, process_id)) {
        watch->counts.processes_gone++;
        return;
    }
    evagg_process_t process = {
        .command_line = details.command_line,
        .command_line_length = details.command_line_length,
        .user_id = details.user_id,
        .process_id = (uint32_t)process_id,
        .parent_process_id = details.parent_process_id,
    };
    watch_process(watch, &process, time);
}

void connector_read(struct mnl_socket *socket, struct watch *watch, int64_t time) {
    char buffer[MESSAGE_BYTES] __attribute__((aligned(8)));
    for (int i = 0; i < MESSAGES_A_READ; i++) {
        ssize_t received = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
        if (received < 0 && errno == ENOBUFS) {
            if (watch->counts.connector_overruns++ == 0) {
                complain("the kernel dropped process events: they came faster than they were read");
            }
            continue;
        }
        if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (received <= 0) {
            fail(EX_OSERR, "the kernel's process connector: %s", strerror(errno));
        }
        int length = (int)received;
        for (const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)buffer;
             mnl_nlmsg_ok(header, length); header = mnl_nlmsg_next(header, &length)) {
            struct proc_event event;
            if (read_event(header, &event) && event.what == PROC_EVENT_EXEC) {
                record_start(watch, event.event_data.exec.process_tgid, time);
            }
        }
    }
}
