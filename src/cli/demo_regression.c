/* demo_regression.c - the tutorial's regression, as a user would type it: each command is printed and then run. */
#include "cli/demo.h"
#include "nn/tutorial.h"

#include <stdio.h>

crd_status crdi_demo_regression(crdi_cli *cli, const char *folder)
{
    static const char *const lines[] = {
        "fit @/regression.csv --target y --hidden 10 --activation tanh --prior normal:0,1 --noise half_cauchy:0.5 "
        "--scale none --method nuts --chains 2 --warmup 200 --draws 2000 --seed 1234 --out @/regression.crd --force",
        "summary @/regression.crd --prob 0.9",
        "predict @/regression.crd @/grid.csv --quantiles 0.025,0.5,0.975 --out @/bands.csv --force",
        "plot @/regression.crd data --out @/data.png --force",
        "plot @/regression.crd trace --site net/Dense_1.bias[0] --site net/Dense_1.kernel[0,0] "
        "--site net/Dense_0.kernel[0,0] --site net/Dense_0.bias[0] --site s --out @/traces.png --force",
        "plot @/regression.crd bands --range -1.5,1.5 --out @/bands.png --force",
    };
    CRD_TRY(crdi_demo_write_data(cli, folder));
    CRD_TRY(crdi_demo_write_grid(cli, folder));
    printf("%s/regression.csv holds the tutorial's data: y = x sin(5 x) + 0.1 noise at %d inputs.\n", folder,
           CRDI_TUTORIAL_ROWS);
    crd_status status = crdi_demo_type(cli, folder, lines, CRDI_COUNT(lines));
    if (status == CRD_OK)
        printf("\nFigures: %s/data.png, %s/traces.png, %s/bands.png\n", folder, folder, folder);
    return status;
}
