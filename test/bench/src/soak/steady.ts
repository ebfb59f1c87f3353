/** By how much a figure may grow between the first and the last of its samples: a share of its median, or `atLeast`, whichever is more. */
export type Tolerance = { share: number; atLeast: number };

export type Verdict = { median: number; highest: number; growth: number; allowed: number; isSteady: boolean };

/**
 * Judges a series of samples that were taken at equal distances. Growth is the Theil–Sen slope (the median of the slopes between all pairs), so that one sample that
 * was taken in a bad moment does not count, times the length of the series.
 */
export function judge(samples: number[], { share, atLeast }: Tolerance): Verdict {
  const middle = medianOf(samples);
  const growth = slopeOf(samples) * (samples.length - 1);
  const allowed = Math.max(share * middle, atLeast);
  return { median: middle, highest: Math.max(...samples), growth, allowed, isSteady: samples.length > 2 && growth <= allowed };
}

function slopeOf(samples: number[]): number {
  const slopes: number[] = [];
  for (const [i, first] of samples.entries())
    for (const [more, second] of samples.slice(i + 1).entries()) slopes.push((second - first) / (more + 1));
  return medianOf(slopes);
}

function medianOf(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1] ?? 0, sorted[sorted.length >> 1] ?? 0];
  return (low + high) / 2;
}
