/* nes.c - Party identification in the American survey of 1972 by ideology, race, age group, education, gender and
 * income. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    crd_node age = crd_data(t, "age", array_of(t, user, "age_discrete"));
    crd_node beta = crd_sample(t, "beta", crd_dist_expand(crd_flat(), crd_shape_1(9)));
    crd_node sigma = crd_sample(t, "sigma", crd_flat_positive());
    crd_node x[] = {
        crd_num(1),
        crd_data(t, "real_ideo", array_of(t, user, "real_ideo")),
        crd_data(t, "race_adj", array_of(t, user, "race_adj")),
        crd_equal(age, crd_num(2)), /* 30 to 44 */
        crd_equal(age, crd_num(3)), /* 45 to 64 */
        crd_equal(age, crd_num(4)), /* 65 and older */
        crd_data(t, "educ1", array_of(t, user, "educ1")),
        crd_data(t, "gender", array_of(t, user, "gender")),
        crd_data(t, "income", array_of(t, user, "income")),
    };
    crd_node mean = crd_num(0);
    for (int k = 0; k < 9; k++)
        mean = crd_add(mean, crd_mul(crd_take(beta, 0, k), x[k]));
    return crd_observe(t, "partyid7", crd_normal(mean, sigma), array_of(t, user, "partyid7"));
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model});
}
