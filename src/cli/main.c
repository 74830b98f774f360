/* main.c - the program `credence`. */
#include "cli/command.h"

int main(int argc, char **argv)
{
    return crdi_main(argc, argv);
}
