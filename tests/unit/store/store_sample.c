/* Record and pack a small run in the folder given as argument. */
#include <stdio.h>

#include "store_fixture.h"

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    struct ge_run *run = fixture_run(23, 3, 5);
    ge_status rc = fixture_record(argv[1], run, NULL, 0, 0, 1);
    if (rc != GE_OK) fprintf(stderr, "%s\n", ge_error());
    ge_run_delete(&run);
    return rc == GE_OK ? 0 : 1;
}
