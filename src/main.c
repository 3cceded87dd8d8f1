/* The program. Everything is in cli/. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return ge_cli_main(argc, argv);
}
