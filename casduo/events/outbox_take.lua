-- Find out what is to be done for a destination whose token a worker holds, and begin with it if it is time.
-- ARGV[1] the destination, ARGV[2] the token's entry, ARGV[3] the group, ARGV[4] the worker, ARGV[5] now, ARGV[6] and
-- ARGV[7] the time between two messages to one space and between any two, ARGV[8] how often a stopped channel is tried,
-- ARGV[9] for how long a worker waits with the token in hand.
-- Answers 'lost' where the token is another's by now; 'none' where nothing waits any more and 'later' where it is not
-- time: then the token is laid down; 'wait' and the moment until which to wait with it in hand, then ask again; or 'go',
-- the first entry, its text, how many wait, how many tries count with this one, how many have failed, the last entry of
-- the digest it was tried in or '', and 1 where this finds out whether a stopped channel works again.
local to, entry, group, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5])
local per_space, per_token, probe_every = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
if not holds(to, entry, group, ARGV[4]) then return {'lost'} end
if not goes_on(to, entry, group) then return {'none'} end

local function later(at)
  lay_down(to, entry, group, at)
  return {'later'}
end

local channel = redis.call('HMGET', CHANNEL, 'paused', 'stopped', 'probe', 'next')
local stopped = channel[2]
-- Laid down as one that is due: nothing gets ready before the channel works, see outbox_move.lua.
if ahead(channel[1], now, LONGEST_PAUSE) > now then return later(now) end
if stopped and ahead(channel[3], now, probe_every) > now then return later(now) end

-- First the place in the line of the space, which may be long; then that of the channel, where only those stand who
-- are about to go.
local pace, state = BASE .. ':pace:' .. space_of(to), state_of(to)
local due, slot, fails, upto = unpack(redis.call('HMGET', state, 'due', 'slot', 'fails', 'upto'))
if due then
  due = ahead(due, now, 4 * per_space)
else
  due = ahead(redis.call('GET', pace), now, 4 * per_space)
  redis.call('HSET', state, 'due', due)
  redis.call('SET', pace, due + per_space, 'PX', LONGEST_PAUSE + 4 * per_space)
end
if due - now > tonumber(ARGV[9]) then return later(due) end
local longest = 1000 * per_token
if slot then
  slot = ahead(slot, now, longest)
else
  slot = math.max(due, ahead(channel[4], now, longest))
  redis.call('HSET', state, 'slot', slot)
  redis.call('HSET', CHANNEL, 'next', slot + per_token)
end
slot = math.max(due, slot)
if slot > now then return {'wait', slot} end

if stopped then redis.call('HSET', CHANNEL, 'probe', now + probe_every) end
redis.call('HDEL', state, 'due', 'slot')
local kept = ahead(redis.call('GET', pace), now, 4 * per_space)
redis.call('SET', pace, math.max(kept, now + per_space), 'PX', LONGEST_PAUSE + 4 * per_space)
local tries = redis.call('HINCRBY', state, 'tries', 1)
local first = redis.call('XRANGE', queue_of(to), '-', '+', 'COUNT', 1)[1]
return {'go', first[1], first[2][2], redis.call('XLEN', queue_of(to)), tries, fails or 0, upto or '', stopped and 1 or 0}
