// libzmq's C interface, from Debian's libzmq3-dev.
#include <zmq.h>
