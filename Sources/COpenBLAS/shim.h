// OpenBLAS's C interface, from Debian's libopenblas-dev.
#include <cblas.h>
