#include "CSystem.h"
#include <linux/filter.h>
#include <sys/socket.h>

int apus_close_door(int listener, int closed) {
    // A filter sees every packet to the listening socket itself: "return 0" drops it, and the other end retries later.
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &drop};
    int unused = 0;
    return closed ? setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)
                  : setsockopt(listener, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}
