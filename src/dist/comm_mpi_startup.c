#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dist/comm_mpi.h"

ge_status ge_comm_agree(struct ge_comm *comm, ge_status mine)
{
    enum { TEXT = 1024 };
    if (comm == NULL || comm->size == 1) return mine;
    /* The lowest rank that failed speaks for all. */
    int first = mine == GE_OK ? comm->size : comm->rank;
    ge_status rc = ge_comm_mpi_status(
        MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm->world), "MPI_Allreduce");
    if (rc != GE_OK || first == comm->size) return rc;
    struct {
        int status;
        char text[TEXT];
    } said = {.status = (int)mine};
    if (comm->rank == first) snprintf(said.text, sizeof said.text, "%s", ge_error());
    rc = ge_comm_mpi_status(MPI_Bcast(&said, (int)sizeof said, MPI_BYTE, first, comm->world),
                            "MPI_Bcast");
    if (rc != GE_OK) return rc;
    said.text[TEXT - 1] = '\0';
    return ge_fail((ge_status)said.status, "rank %d: %s", first, said.text);
}

ge_status ge_comm_same(struct ge_comm *comm, struct ge_hash mine, const char *what)
{
    if (comm == NULL || comm->size == 1) return GE_OK;
    struct ge_hash root = mine;
    ge_status rc = ge_comm_mpi_status(MPI_Bcast(&root, (int)sizeof root, MPI_BYTE, 0, comm->world),
                                      "MPI_Bcast");
    if (rc == GE_OK && !ge_hash_equal(root, mine)) {
        char a[GE_HASH_HEX], b[GE_HASH_HEX];
        ge_hash_hex(mine, a);
        ge_hash_hex(root, b);
        rc = ge_fail(GE_ECONFLICT,
                     "%s differs between ranks: %s here, %s on rank 0; all ranks "
                     "must see the same files and the same program",
                     what, a, b);
    }
    return ge_comm_agree(comm, rc);
}

/* Bytes of any length, in pieces that fit MPI's int counts. */
static ge_status broadcast_bytes(struct ge_comm *c, void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = len - at < ((size_t)1 << 30) ? len - at : (size_t)1 << 30;
        ge_status rc = ge_comm_mpi_status(
            MPI_Bcast((unsigned char *)data + at, (int)n, MPI_BYTE, 0, c->world), "MPI_Bcast");
        if (rc != GE_OK) return rc;
        at += n;
    }
    return GE_OK;
}

ge_status ge_comm_broadcast(struct ge_comm *comm, void **data, size_t *len, size_t max)
{
    if (comm == NULL || comm->size == 1) return GE_OK;
    ge_status rc = GE_OK;
    uint64_t n = comm->rank == 0 ? *len : 0;
    char *copy = NULL;
    GE_TRY(ge_comm_mpi_status(MPI_Bcast(&n, 1, MPI_UINT64_T, 0, comm->world), "MPI_Bcast"));
    if (n > max || n == UINT64_MAX) {
        rc = ge_fail(GE_ELIMIT, "rank 0 would send %llu bytes at start; at most %zu are allowed",
                     (unsigned long long)n, max);
        goto done;
    }
    if (comm->rank != 0) {
        copy = ge_calloc((size_t)n + 1, 1);
        rc = copy == NULL ? GE_ENOMEM : GE_OK;
    }
    GE_TRY(ge_comm_agree(comm, rc));
    GE_TRY(broadcast_bytes(comm, comm->rank == 0 ? *data : copy, (size_t)n));
    if (comm->rank != 0) {
        *data = copy;
        *len = (size_t)n;
        copy = NULL;
    }
done:
    free(copy);
    return rc;
}

/* One block on rank 0: size pointers, then the parts; counts and offsets as MPI wants them. */
static ge_status gather_room(const struct ge_comm *c, const uint64_t *sizes, size_t max,
                             void ***parts, size_t *lens, int *counts, int *offsets)
{
    ge_status rc = GE_OK;
    size_t total = 0, pointers = (size_t)c->size * sizeof(void *);
    for (int r = 0; r < c->size; r++) {
        if (sizes[r] > max || sizes[r] > INT_MAX)
            return ge_fail(GE_ELIMIT,
                           "rank %d would send %llu bytes at start; at most %zu are "
                           "allowed",
                           r, (unsigned long long)sizes[r], max);
        lens[r] = (size_t)sizes[r];
        GE_TRY(ge_to_int(lens[r], &counts[r]));
        GE_TRY(ge_to_int(total, &offsets[r]));
        GE_TRY(ge_add(total, lens[r], &total));
    }
    GE_TRY(ge_add(total, pointers + 1, &total));
    GE_TRY_PTR(*parts, ge_calloc(total, 1));
    for (int r = 0; r < c->size; r++)
        (*parts)[r] = (unsigned char *)*parts + pointers + (size_t)offsets[r];
done:
    return rc;
}

static ge_status gather_one(const void *data, size_t len, void ***parts, size_t **lens)
{
    ge_status rc = GE_OK;
    void **p = NULL;
    size_t *l = NULL;
    GE_TRY_PTR(p, ge_calloc(sizeof(void *) + len + 1, 1));
    GE_NEW(l, 1);
    p[0] = p + 1;
    if (len > 0) memcpy(p[0], data, len);
    l[0] = len;
    *parts = p;
    *lens = l;
    p = NULL;
done:
    free(p);
    return rc;
}

ge_status ge_comm_gather(struct ge_comm *comm, const void *data, size_t len, size_t max,
                         void ***parts, size_t **lens)
{
    *parts = NULL;
    *lens = NULL;
    if (comm == NULL) return gather_one(data, len, parts, lens);
    ge_status rc = GE_OK;
    uint64_t mine = len, *sizes = NULL;
    int *counts = NULL, *offsets = NULL;
    size_t n = comm->rank == 0 ? (size_t)comm->size : 0;
    if ((sizes = ge_calloc(n, sizeof *sizes)) == NULL ||
        (counts = ge_calloc(n, sizeof *counts)) == NULL ||
        (offsets = ge_calloc(n, sizeof *offsets)) == NULL ||
        (*lens = ge_calloc(n, sizeof **lens)) == NULL)
        rc = GE_ENOMEM;
    GE_TRY(ge_comm_agree(comm, rc));
    GE_TRY(ge_comm_mpi_status(
        MPI_Gather(&mine, 1, MPI_UINT64_T, sizes, 1, MPI_UINT64_T, 0, comm->world), "MPI_Gather"));
    if (comm->rank == 0) rc = gather_room(comm, sizes, max, parts, *lens, counts, offsets);
    GE_TRY(ge_comm_agree(comm, rc));
    GE_TRY(ge_comm_mpi_status(MPI_Gatherv(data, (int)len, MPI_BYTE, n > 0 ? (*parts)[0] : NULL,
                                          counts, offsets, MPI_BYTE, 0, comm->world),
                              "MPI_Gatherv"));
done:
    free(sizes);
    free(counts);
    free(offsets);
    if (rc != GE_OK || comm->rank != 0) {
        free(*parts);
        free(*lens);
        *parts = NULL;
        *lens = NULL;
    }
    return rc;
}
