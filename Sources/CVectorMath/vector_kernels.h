// The kernels' one source. Included once for each instruction set, with VARIANT(name) defined.
#include "vector_basics.h"
#include "vector_activations.h"
#include "vector_dropout.h"
#include "vector_normalization.h"
#include "vector_softmax.h"
#include "vector_sums.h"
#include "vector_adam.h"
#include "vector_attention.h"
