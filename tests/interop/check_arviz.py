"""check_arviz.py PROGRAM - run by arviz.sh in an empty folder: files of credence in ArviZ, and files of ArviZ in credence."""

import csv
import glob
import json
import re
import subprocess
import sys
import warnings

import arviz as az
import numpy as np

PROGRAM = sys.argv[1]
COLUMNS = ["mean", "sd", "hdi_low", "hdi_high", "mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "r_hat"]
OURS = ["mean", "sd", "low", "high", "mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "r_hat"]


def credence(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"credence {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def close(ours, theirs, what, relative=1e-6, absolute=1e-9):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), relative, absolute, err_msg=what)


def fit(out, *options):
    credence("fit", "data.csv", "--target", "y", "--seed", "1", "--chains", "3", "--warmup", "300", "--draws", "300",
             "--quiet", "--out", out, *options)


def label(name):
    """ArviZ's label of an element in our spelling: net.Dense_0.kernel[0, 3]."""
    return name.replace("net.", "net/").replace(", ", ",")


def rows_of(run, *options):
    text = credence("summary", run, "--diagnostics", "--format", "csv", *options)
    return {r["name"]: r for r in csv.DictReader(text.splitlines()) if "units of" not in r["name"]}


def check_summary(idata, ours, prob):
    theirs = az.summary(idata, round_to="none", hdi_prob=prob)
    theirs.columns = COLUMNS
    assert {label(name) for name in theirs.index} == set(ours)
    for name, row in theirs.iterrows():
        for column, our in zip(COLUMNS, OURS):
            close(float(ours[label(name)][our]), row[column], f"{column} of {name}")
    return len(theirs)


def check_export():
    fit("a.crd", "--hidden", "4,3", "--keep", "f", "--save-warmup")
    credence("export", "a.crd", "--to", "netcdf", "--out", "a.nc")
    idata = az.from_netcdf("a.nc")
    assert set(idata.groups()) == {"posterior", "posterior_predictive", "log_likelihood", "sample_stats",
                                   "observed_data", "constant_data", "prior", "prior_predictive", "warmup_posterior", "warmup_sample_stats"}, idata.groups()
    assert idata.posterior["net.Dense_0.kernel"].attrs["site"] == "net/Dense_0.kernel"
    assert idata.posterior["net.Dense_0.kernel"].dims[:2] == ("chain", "draw")
    assert idata.posterior.attrs["inference_library"] == "credence"
    assert idata.posterior.attrs["tuning_steps"] == 300
    assert idata.sample_stats["diverging"].dtype == bool
    return idata


def check_statistics(idata):
    table = list(csv.DictReader(credence("export", "a.crd").splitlines()))
    for ours, theirs in [("accept_prob", "acceptance_rate"), ("log_density", "lp"), ("n_steps", "n_steps"),
                         ("energy", "energy"), ("diverging", "diverging"), ("tree_depth", "tree_depth")]:
        values = np.array([float(row[ours]) for row in table])
        assert np.array_equal(values, idata.sample_stats[theirs].values.ravel().astype(float)), theirs
    values = np.array([float(row["net/Dense_1.kernel[3,1]"]) for row in table])
    assert np.array_equal(values, idata.posterior["net.Dense_1.kernel"].values[:, :, 3, 1].ravel())


def check_data(idata):
    data = np.genfromtxt("data.csv", delimiter=",", names=True)
    close(idata.observed_data["y"], data["y"], "y")
    close(idata.constant_data["x"].values[:, 0], data["a"], "x")
    # log likelihood and replications in the target's own units, from the draws by hand
    sd = data["y"].std()
    mean = data["y"].mean()
    f = mean + sd * idata.posterior["f"].values
    s = sd * idata.posterior["s"].values[:, :, None]
    z = (data["y"] - f) / s
    close(idata.log_likelihood["y"], -z * z / 2 - np.log(s) - np.log(2 * np.pi) / 2, "log likelihood", 1e-9)
    noise = (idata.posterior_predictive["y"].values - f) / s
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02, (noise.mean(), noise.std())


def check_prior(idata, y):
    """Draws of the prior have its moments: normal(0, 1) weights, half-Cauchy(0.5) noise, in the target's units."""
    prior = idata.prior
    assert dict(prior.sizes)["draw"] == 500 and prior["net.Dense_1.kernel"].shape == (1, 500, 4, 3)
    weights = np.concatenate([prior[v].values.ravel() for v in prior.data_vars if v.startswith("net.")])
    assert abs(weights.mean()) < 5 / np.sqrt(weights.size) and abs(weights.std() - 1) < 5 / np.sqrt(weights.size)
    below = (prior["s"].values < 0.5).mean()  # the median of half_cauchy(0.5) is 0.5
    assert abs(below - 0.5) < 5 * 0.5 / np.sqrt(500), below
    predicted = idata.prior_predictive["y"].values
    assert predicted.shape == (1, 500, 50) and abs(np.median(predicted) - y.mean()) < y.std() / 2
    assert np.median(np.abs(predicted - np.median(predicted))) > y.std() / 2


def check_warmup(idata):
    """The warm-up has as many iterations as asked for, moves, and its step size is adapted; the draws go on from its end."""
    warm = idata.warmup_posterior
    assert warm["net.Dense_1.kernel"].shape == (3, 300, 4, 3) and warm["f"].shape == (3, 300, 50)
    assert np.isfinite(warm["s"].values).all() and set(warm.data_vars) == set(idata.posterior.data_vars)
    steps = idata.warmup_sample_stats["step_size"].values
    assert (np.ptp(steps, axis=1) > 0).all() and (np.ptp(idata.sample_stats["step_size"].values, axis=1) == 0).all()
    first = idata.sample_stats["step_size"].values[:, 0]
    assert (first > 0).all() and idata.warmup_sample_stats["diverging"].dtype == bool
    s, after = warm["s"].values[:, -1], idata.posterior["s"].values
    assert (np.abs(s - after.mean(axis=1)) < 10 * after.std(axis=1)).all()


def check_loo(idata):
    ours = json.loads(credence("loo", "a.crd", "--format", "json"))
    theirs = az.loo(idata, pointwise=True)
    close(ours["elpd_loo"], theirs.elpd_loo, "elpd_loo")
    close(ours["se"], theirs.se, "se of loo")
    close(ours["p_loo"], theirs.p_loo, "p_loo")
    close([r["elpd_loo"] for r in ours["rows"]], theirs.loo_i, "loo_i")
    close([r["k_hat"] for r in ours["rows"]], theirs.pareto_k, "pareto_k")
    close(ours["good_k"], theirs.good_k, "good_k")
    waic = az.waic(idata, pointwise=True)
    close(ours["elpd_waic"], waic.elpd_waic, "elpd_waic")
    close(ours["waic_se"], waic.se, "se of waic")
    close(ours["p_waic"], waic.p_waic, "p_waic")
    close([r["elpd_waic"] for r in ours["rows"]], waic.waic_i, "waic_i")


def check_compare(idata):
    fit("b.crd", "--hidden", "4", "--likelihood", "student_t")
    fit("c.crd", "--hidden", "none")
    runs = {"a.crd": idata}
    for name in ["b", "c"]:
        credence("export", f"{name}.crd", "--to", "netcdf", "--out", f"{name}.nc")
        runs[f"{name}.crd"] = az.from_netcdf(f"{name}.nc")
    ours = json.loads(credence("loo", "a.crd", "b.crd", "c.crd", "--format", "json"))["runs"]
    theirs = az.compare(runs, ic="loo", method="stacking", scale="log")
    assert [row["run"] for row in ours] == list(theirs.index)
    for row in ours:
        close(row["elpd_diff"], theirs.loc[row["run"], "elpd_diff"], "elpd_diff")
        close(row["diff_se"], theirs.loc[row["run"], "dse"], "dse")
        close(row["weight"], theirs.loc[row["run"], "weight"], "weight", 0, 2e-3)  # its optimiser stops earlier


def check_import():
    """A file that ArviZ wrote goes in, is summarised, and comes out again as it was."""
    rng = np.random.default_rng(3)
    posterior = {"mu": rng.normal(size=(4, 200)), "theta": rng.normal(size=(4, 200, 3)).cumsum(axis=1),
                 "w": rng.standard_exponential(size=(4, 200, 2, 2))}
    idata = az.from_dict(posterior, sample_stats={"diverging": rng.random((4, 200)) < 0.1,
                                                  "energy": rng.normal(size=(4, 200)),
                                                  "acceptance_rate": rng.random((4, 200))},
                         coords={"school": ["x", "y", "z"]}, dims={"theta": ["school"]})
    idata.to_netcdf("theirs.nc")
    credence("import", "theirs.nc", "--out", "theirs.crd")
    plain = az.from_dict(posterior)  # without names of schools: elements are numbered
    assert check_summary(plain, rows_of("theirs.crd", "--prob", "0.94"), 0.94) == 1 + 3 + 4
    found = re.search(r"divergences: (\d+)", credence("summary", "theirs.crd"))
    assert int(found.group(1)) == int(idata.sample_stats["diverging"].sum())
    credence("export", "theirs.crd", "--to", "netcdf", "--out", "again.nc")
    again = az.from_netcdf("again.nc")
    for name, value in posterior.items():
        assert np.array_equal(again.posterior[name].values, value), name
    for name in ["diverging", "energy", "acceptance_rate"]:
        assert np.array_equal(again.sample_stats[name].values, idata.sample_stats[name].values), name
        assert again.sample_stats[name].dtype == idata.sample_stats[name].dtype


def check_round_trip(idata):
    for form, files in [("netcdf", ["t.nc"]), ("cmdstan", ["t_1.csv", "t_2.csv", "t_3.csv"])]:
        credence("export", "a.crd", "--to", form, "--out", files[0].replace("_1", ""), "--force")
        credence("import", *files, "--out", "t.crd", "--force")
        assert credence("export", "t.crd") == credence("export", "a.crd"), form
    stan = az.from_cmdstan(sorted(glob.glob("t_*.csv")))
    assert np.array_equal(stan.posterior["net_Dense_1_kernel"].values, idata.posterior["net.Dense_1.kernel"].values)
    assert np.array_equal(stan.sample_stats["lp"].values, idata.sample_stats["lp"].values)
    assert np.array_equal(stan.sample_stats["diverging"].values, idata.sample_stats["diverging"].values)


def check_targets(a, y):
    """Two targets: an axis of them in y, and one log likelihood a row."""
    rng = np.random.default_rng(2)
    both = np.column_stack([y, -500 + 2 * a**2 + rng.normal(size=50)])
    np.savetxt("two.csv", np.column_stack([a, both]), "%.17g", ",", header="a,y,z", comments="")
    credence("fit", "two.csv", "--target", "y,z", "--seed", "1", "--chains", "2", "--warmup", "200", "--draws", "200",
             "--hidden", "4", "--keep", "f", "--quiet", "--out", "two.crd")
    credence("export", "two.crd", "--to", "netcdf", "--out", "two.nc")
    idata = az.from_netcdf("two.nc")
    close(idata.observed_data["y"], both, "y")
    assert idata.observed_data["y"].attrs["column"].split() == ["y", "z"]
    mean, sd = both.mean(axis=0), both.std(axis=0)
    f = mean + sd * idata.posterior["f"].values
    s = sd * idata.posterior["s"].values[:, :, None, :]
    z = (both - f) / s
    close(idata.log_likelihood["y"], (-z * z / 2 - np.log(s) - np.log(2 * np.pi) / 2).sum(axis=-1), "of both", 1e-9)
    noise = (idata.posterior_predictive["y"].values - f) / s
    assert noise.shape == (2, 200, 50, 2)
    assert abs(noise.mean(axis=(0, 1, 2))).max() < 0.04 and abs(noise.std(axis=(0, 1, 2)) - 1).max() < 0.03
    assert idata.prior_predictive["y"].shape == (1, 500, 50, 2)
    ours = json.loads(credence("loo", "two.crd", "--format", "json"))
    close(ours["elpd_loo"], az.loo(idata).elpd_loo, "elpd_loo of both")
    close([r["y"] for r in ours["rows"]], both, "y of loo")


def check_npz(idata):
    credence("export", "a.crd", "--to", "npz", "--out", "a.npz")
    with np.load("a.npz") as archive:
        assert np.array_equal(archive["net/Dense_1.kernel"], idata.posterior["net.Dense_1.kernel"].values)
        assert np.array_equal(archive["s"], idata.posterior["s"].values)
        assert np.array_equal(archive["energy"], idata.sample_stats["energy"].values)


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    a = np.linspace(0, 6, 50)
    y = 30 + 20 * np.sin(a / 1.5) + 3 * rng.normal(size=50)
    np.savetxt("data.csv", np.column_stack([a, y]), "%.17g", ",", header="a,y", comments="")
    idata = check_export()
    ours = rows_of("a.crd", "--prob", "0.9") | rows_of("a.crd", "--prob", "0.9", "--site", "f")
    count = check_summary(idata, ours, 0.9)
    assert count == 4 + 4 + 3 + 12 + 1 + 3 + 1 + 50
    check_statistics(idata)
    check_data(idata)
    check_prior(idata, y)
    check_warmup(idata)
    check_loo(idata)
    check_compare(idata)
    az.plot_trace(idata, var_names=["s", "net.Dense_1.bias"])
    check_import()
    check_round_trip(idata)
    check_npz(idata)
    check_targets(a, y)
    print("ArviZ", az.__version__, "agrees:", count, "rows of the summary, loo, waic, comparison, import, npz, cmdstan")


main()
