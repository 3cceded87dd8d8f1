/* The ranks' state as MPI sees it. Private to comm_mpi.c (start, end, messages of the run) and
 * comm_mpi_startup.c (collectives); with them the only home of mpi.h. */
#ifndef GE_DIST_COMM_MPI_H
#define GE_DIST_COMM_MPI_H

#include <mpi.h>

#include "dist/comm.h"

/* Receives that are always posted: a worker hears rank 0 alone. */
enum { GE_COMM_SMALL = 4096, GE_COMM_POOL = 64, GE_COMM_POOL_WORKER = 8 };

/* A transfer under way. The buffer belongs to MPI until the request is complete: transfers of an
 * abandoned peer may never be, so their memory is left alone for good. */
struct ge_transfer {
    void *data;
    size_t size;
    int rank;
};

/* Transfers and their requests, in step. */
struct ge_transfers {
    struct ge_transfer *v;
    MPI_Request *requests;
    size_t n, cap;
};

/* A frame that has come in. */
struct ge_arrival {
    void *data;
    size_t size;
    int rank;
};

struct ge_comm {
    MPI_Comm world;
    int rank, size, local_rank, local_size;
    int pool_size; /* 0 before the first receive */
    MPI_Request pool[GE_COMM_POOL];
    unsigned char (*pool_data)[GE_COMM_SMALL];
    struct ge_transfers sending, receiving;
    size_t receiving_bytes;
    struct ge_arrival *arrived; /* a queue: first…n-1 */
    size_t first, n, cap;
    bool *abandoned; /* (size) */
    uint64_t failures;
};

/* GE_OK for MPI_SUCCESS, otherwise GE_ECOMM with MPI's text. */
ge_status ge_comm_mpi_status(int code, const char *call);

#endif
