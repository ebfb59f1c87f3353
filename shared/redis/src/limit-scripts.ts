/** Redis runs a script alone and stops its clock in it, so what one looks at and takes is one step. */

/**
 * KEYS: one for each limit. ARGV: points, window (ms) and cost of each limit.
 * Takes its cost from each and returns {0, remaining, ms to reset, remaining, ms to reset, …}; or takes nothing and returns {n, remaining, ms to reset} of the
 * first that has too little left. A window begins with its first charge.
 */
export const CHARGE = `
for i, key in ipairs(KEYS) do
  local points = tonumber(ARGV[3 * i - 2])
  local cost = tonumber(ARGV[3 * i])
  local taken = tonumber(redis.call('get', key) or '0')
  if taken + cost > points then
    local left = redis.call('pttl', key)
    if left < 0 then left = tonumber(ARGV[3 * i - 1]) end
    return {i, math.max(points - taken, 0), left}
  end
end
local charged = {0}
for i, key in ipairs(KEYS) do
  redis.call('set', key, 0, 'PX', ARGV[3 * i - 1], 'NX')
  charged[2 * i] = tonumber(ARGV[3 * i - 2]) - redis.call('incrby', key, tonumber(ARGV[3 * i]))
  charged[2 * i + 1] = redis.call('pttl', key)
end
return charged
`;

/** KEYS: one for each limit. ARGV: the cost of each. Gives back what the running window of each has taken, never more, and begins none. */
export const REFUND = `
for i, key in ipairs(KEYS) do
  local taken = tonumber(redis.call('get', key) or '0')
  if taken > 0 then redis.call('decrby', key, math.min(taken, tonumber(ARGV[i]))) end
end
return 0
`;
