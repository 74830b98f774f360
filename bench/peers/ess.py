"""Effective draws of the mean, split chains: Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, section 3.2 (Geyer's
initial monotone sequence over autocovariances by FFT). In NumPy alone, so that every peer has it."""
import numpy as np


def autocovariance(x):
    n = x.shape[-1]
    padded = 1 << (2 * n - 1).bit_length()
    x = x - x.mean(-1, keepdims=True)
    f = np.fft.rfft(x, padded)
    return np.fft.irfft(f * np.conj(f), padded)[..., :n] / n


def effective(x):
    """x (chains, draws)."""
    half = x.shape[1] // 2
    x = np.concatenate([x[:, :half], x[:, -half:]])
    m, n = x.shape
    covariance = autocovariance(x)
    within = (covariance[:, 0] * n / (n - 1)).mean()
    total = within * (n - 1) / n + x.mean(1).var(ddof=1)
    rho = 1 - (within - covariance.mean(0) * n / (n - 1)) / total
    rho[0] = 1
    pairs = rho[: n - n % 2].reshape(-1, 2).sum(1)
    stop = np.argmax(pairs < 0) if (pairs < 0).any() else len(pairs)
    pairs = np.minimum.accumulate(pairs[:stop])
    return m * n / max(-1 + 2 * pairs.sum(), 1 / np.log10(m * n))
