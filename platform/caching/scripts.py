"""What Redis does in one step. Times are its own, in microseconds, so all processes agree.

The rule that makes races harmless: an entry counts from the moment its making *began*. A flush
leaves a mark with its time, and whatever began before that is void, also what is stored later.

Each shelf of a cache has, under one hash tag: `values` (hash: began, fresh until, 16 digits each,
then the sealed value), `used` (sorted set: when last), `size` (bytes, as a number), a lock for each
entry that is being made (hash: holder, waiting), `counts` of each day, and marks of flushes.
"""

from hashlib import sha1

ENTRY_BYTES = 300  # that Redis needs around a value
MADE, FLUSHED = "parley:cache:made", "parley:cache:flushed"  # the doorbells

_COMMON = f"""
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local function drop(field)
    local length = redis.call('HSTRLEN', KEYS[1], field)
    redis.call('HDEL', KEYS[1], field)
    redis.call('ZREM', KEYS[2], field)
    if length > 0 then redis.call('DECRBY', KEYS[3], length + {ENTRY_BYTES}) end
end
local function is_flushed(began, first)
    for n = first, #KEYS do
        local mark = tonumber(redis.call('GET', KEYS[n]) or 0)
        if began <= mark then return true end
    end
    return false
end
local function count(key, outcome, times)
    local counted = redis.call('HINCRBY', key, outcome, times)
    if counted == tonumber(times) then redis.call('EXPIRE', key, 35 * 86400) end
end
-- The value and until when it is fresh; what is void is dropped.
local function read(field, stale, first)
    local value = redis.call('HGET', KEYS[1], field)
    if not value then return false, 0 end
    local began, fresh = tonumber(value:sub(1, 16)), tonumber(value:sub(17, 32))
    if not (began and fresh) or now >= fresh + stale or is_flushed(began, first) then
        drop(field)
        return false, 0
    end
    redis.call('ZADD', KEYS[2], 'XX', now, field)
    return value:sub(33), fresh
end
"""


class Script:
    def __init__(self, text: str) -> None:
        self.text = _COMMON + text
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


# KEYS values, used, size, counts, lock, marks…
# ARGV field, token, stale, lease (ms), near hits, first look?, spoilt?
# Answers how it was found, whether the token's holder is to make it, now, and what is there.
LOOK = Script("""
if ARGV[7] == '1' then drop(ARGV[1]) end
local value, fresh = read(ARGV[1], ARGV[3], 6)
local outcome, is_ours = 'hit', 0
if not value or now >= fresh then
    if redis.call('HSETNX', KEYS[5], 'holder', ARGV[2]) == 1
            or redis.call('HGET', KEYS[5], 'holder') == ARGV[2] then
        redis.call('PEXPIRE', KEYS[5], ARGV[4])
        is_ours = 1
    elseif not value then
        redis.call('HSET', KEYS[5], 'waiting', 1)
    end
    outcome = value and 'stale' or (is_ours == 1 and 'miss' or 'shared')
end
if ARGV[6] == '1' then count(KEYS[4], outcome, 1) end
if ARGV[5] ~= '0' then count(KEYS[4], 'near', ARGV[5]) end
return {outcome, is_ours, string.format('%.0f', now), math.floor((fresh - now) / 1000), value}
""")

# KEYS values, used, size, counts, lock, marks…
# ARGV token, began, fresh for, kept for (ms), most bytes, most entries, (field, value)…
# Nothing to store only gives the lock back. Answers how many entries had to go.
STORE = Script(f"""
local began, evicted = tonumber(ARGV[2]), 0
local function is_newer(field)
    local value = redis.call('HGET', KEYS[1], field)
    return value and (tonumber(value:sub(1, 16)) or 0) > began
end
if #ARGV > 6 and not is_flushed(began, 6) then
    local head = string.format('%016.0f%016.0f', began, now + ARGV[3])
    for n = 7, #ARGV, 2 do
        if not is_newer(ARGV[n]) then
            drop(ARGV[n])
            redis.call('HSET', KEYS[1], ARGV[n], head .. ARGV[n + 1])
            redis.call('ZADD', KEYS[2], now, ARGV[n])
            redis.call('INCRBY', KEYS[3], #head + #ARGV[n + 1] + {ENTRY_BYTES})
        end
    end
    local unused = now - ARGV[4] * 1000
    for _, field in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', unused, 'LIMIT', 0, 100)) do
        drop(field)
    end
    while tonumber(redis.call('GET', KEYS[3]) or 0) > tonumber(ARGV[5])
            or redis.call('HLEN', KEYS[1]) > tonumber(ARGV[6]) do
        local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
        if not oldest then redis.call('DEL', KEYS[1], KEYS[3]) break end
        drop(oldest)
        evicted = evicted + 1
    end
    for n = 1, 3 do redis.call('PEXPIRE', KEYS[n], ARGV[4]) end
    if evicted > 0 then count(KEYS[4], 'evicted', evicted) end
end
if redis.call('HGET', KEYS[5], 'holder') == ARGV[1] then
    local is_awaited = redis.call('HEXISTS', KEYS[5], 'waiting') == 1
    redis.call('DEL', KEYS[5])
    if is_awaited then redis.call('PUBLISH', '{MADE}', KEYS[5]) end
end
return evicted
""")

# KEYS values, used, size, counts, marks…; ARGV field… Answers now and, for each, what is fresh.
RECALL = Script("""
local found, hits = {string.format('%.0f', now)}, 0
for n = 1, #ARGV do
    found[n + 1] = read(ARGV[n], 0, 5)
    if found[n + 1] then hits = hits + 1 end
end
if hits > 0 then count(KEYS[4], 'hit', hits) end
if hits < #ARGV then count(KEYS[4], 'miss', #ARGV - hits) end
return found
""")

# KEYS lock; ARGV token, lease (ms)
RENEW = Script("""
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
""")

# KEYS values, used, size, mark; ARGV kept for (ms), everything?
FLUSH = Script("""
if ARGV[2] == '1' then redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) end
redis.call('SET', KEYS[4], string.format('%.0f', now), 'PX', ARGV[1])
return 1
""")
