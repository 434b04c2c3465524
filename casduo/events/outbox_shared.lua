-- What the scripts of the outbox have in common. KEYS[1] is what all its keys begin with; behind it stand
--   :to:<destination>     a stream: what waits for one destination. What is urgent has a destination of its own, with
--                         urgent: in front of the other's name
--   :state:<destination>  a hash. Of what is first: tries, how often it was begun, but for those that do not count; fails,
--                         how often it failed, for longer and longer pauses; upto, the last entry of the digest in place
--                         of which it was tried; due and slot, when it may go: for its space, and for the whole channel
--   :pace:<space>         from when on the next message to a space may go; kept apart from its destinations' states
--   :tokens               a set: the destinations that have work. Each of them has one token, which is either an entry of
--   :ready, :ready:urgent (streams, each with its group of workers) or a member of
--   :later                a sorted set, by the moment at which it gets ready
--   :channel              a hash: paused, until when nothing is sent; stopped, since when nothing can be, with status and
--                         detail; probe, when it may be tried next; next, when the next message may go
--   :mark:<id>            what became of a message: waiting, sent, dead or discarded
--   :dead, :dead:at       a hash: the dead letters by their ids; a sorted set: the ids, by the moment
-- All moments are milliseconds of the worker's clock.
local BASE = KEYS[1]
local CHANNEL, TOKENS, LATER = BASE .. ':channel', BASE .. ':tokens', BASE .. ':later'
local DEAD, DEAD_AT = BASE .. ':dead', BASE .. ':dead:at'
-- Nothing asks for a longer one: what lies further ahead was written by a clock that was wrong.
local LONGEST_PAUSE = 3600000

local function space_of(to) return (string.gsub(to, '^urgent:', '')) end
local function ready_of(to) return BASE .. (string.sub(to, 1, 7) == 'urgent:' and ':ready:urgent' or ':ready') end
local function queue_of(to) return BASE .. ':to:' .. to end
local function state_of(to) return BASE .. ':state:' .. to end
local function mark_of(id) return BASE .. ':mark:' .. id end

local function make_ready(to) redis.call('XADD', ready_of(to), '*', 'to', to) end

-- Have messages wait, each a list of id, destination and text; one whose id is known already is left out.
local function put_all(messages)
  for _, message in ipairs(messages) do
    local id, to, text = unpack(message)
    if redis.call('SET', mark_of(id), 'waiting', 'NX') then
      redis.call('XADD', queue_of(to), '*', 'message', text)
      if redis.call('SADD', TOKENS, to) == 1 then make_ready(to) end
    end
  end
end

-- Whether the token that is this entry of the ready ones is still the worker's: somebody else may have taken it over.
local function holds(to, entry, group, worker)
  local rows = redis.pcall('XPENDING', ready_of(to), group, entry, entry, 1, worker)
  return not rows.err and #rows == 1
end

local function let_go(to, entry, group)
  redis.call('XDEL', ready_of(to), entry)
  redis.call('XACK', ready_of(to), group, entry)
end

-- Let go of the token, for it to get ready at a moment; at 0: at once, behind all others.
local function lay_down(to, entry, group, at)
  let_go(to, entry, group)
  if at > 0 then redis.call('ZADD', LATER, at, to) else make_ready(to) end
end

-- Whether there is more for this destination. If not, the token is no more either.
local function goes_on(to, entry, group)
  if redis.call('XLEN', queue_of(to)) > 0 then return true end
  redis.call('SREM', TOKENS, to)
  redis.call('DEL', queue_of(to), state_of(to))
  let_go(to, entry, group)
  return false
end

-- A moment on record that still lies ahead, though not further than it can, or else now.
local function ahead(moment, now, most)
  moment = tonumber(moment)
  if moment and moment > now and moment - now <= most then return moment end
  return now
end

-- Take note that the channel works again, with the record of that event; answers 1 where it had been stopped.
local function resume(record)
  if redis.call('HDEL', CHANNEL, 'stopped') == 0 then return 0 end
  redis.call('HDEL', CHANNEL, 'status', 'detail', 'probe')
  redis.call('XADD', KEYS[2], '*', 'record', record)
  return 1
end
