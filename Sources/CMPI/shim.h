// The calls of the site's MPI that Apus uses, for Swift, which does not see MPI's macros. Only in builds with the MPI
// trait.
#pragma once

#include <stdlib.h>

#if __has_include(<mpi.h>)
#include <mpi.h>
#else
#include <mpi/mpi.h> // Debian's libopenmpi-dev and libmpich-dev, without their compiler wrappers
#endif

/// Begins MPI for this thread; errors are returned from now on. Returns the world's rank and size.
static inline int apus_mpi_begin(int *rank, int *size) {
    int provided = 0;
    int result = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    if (result == MPI_SUCCESS) result = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (result == MPI_SUCCESS) result = MPI_Comm_rank(MPI_COMM_WORLD, rank);
    return result == MPI_SUCCESS ? MPI_Comm_size(MPI_COMM_WORLD, size) : result;
}

static inline int apus_mpi_end(void) { return MPI_Finalize(); }

/// The request is allocated here and freed by apus_mpi_sent.
static inline int apus_mpi_send(const void *bytes, int count, int process, int tag, void **request) {
    MPI_Request *sending = (MPI_Request *)malloc(sizeof(MPI_Request));
    *request = sending;
    return MPI_Isend(bytes, count, MPI_BYTE, process, tag, MPI_COMM_WORLD, sending);
}

static inline int apus_mpi_sent(void **request, int *done) {
    int result = MPI_Test((MPI_Request *)*request, done, MPI_STATUS_IGNORE);
    if (result != MPI_SUCCESS || *done) {
        free(*request);
        *request = NULL;
    }
    return result;
}

/// Looks for a message with this tag; the caller must then receive `message`.
static inline int apus_mpi_probe(int tag, int *found, int *process, int *count, void **message) {
    MPI_Message matched;
    MPI_Status status;
    int result = MPI_Improbe(MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, found, &matched, &status);
    if (result != MPI_SUCCESS || !*found) return result;
    MPI_Message *kept = (MPI_Message *)malloc(sizeof(MPI_Message));
    *kept = matched;
    *message = kept;
    *process = status.MPI_SOURCE;
    return MPI_Get_count(&status, MPI_BYTE, count);
}

static inline int apus_mpi_receive(void *bytes, int count, void *message) {
    int result = MPI_Mrecv(bytes, count, MPI_BYTE, (MPI_Message *)message, MPI_STATUS_IGNORE);
    free(message);
    return result;
}
