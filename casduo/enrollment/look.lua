-- Read a session of the enrolment pages together with the single sign-on session it stands on, and take a turn.
-- KEYS[1] the session; ARGV[1] what the keys of TGTs in this slot begin with; ARGV[2] the name of a turn, empty for none,
-- ARGV[3] now and ARGV[4] how long nobody else gets that turn (milliseconds).
-- Answers its fields, session and strength of the TGT, and 1 where the turn is the caller's; nothing where either is gone.
local own = redis.call('HMGET', KEYS[1], 'tgt', 'principal', 'asked', 'application', 'link', 'stage', 'code', 'state',
  'trouble')
if not own[1] then return false end
local tgt = redis.call('HMGET', ARGV[1] .. own[1], 'session', 'strength')
if not tgt[1] then return false end
local turn = 0
if ARGV[2] ~= '' then
  local field = 'turn:' .. ARGV[2]
  local last = redis.call('HGET', KEYS[1], field)
  local waited = last and tonumber(ARGV[3]) - tonumber(last)
  -- A moment from the future is another node's clock, not a turn that lasts.
  if not last or waited >= tonumber(ARGV[4]) or waited < -60000 then
    redis.call('HSET', KEYS[1], field, ARGV[3])
    turn = 1
  end
end
return {own[1], own[2], own[3], own[4], own[5], own[6], own[7], own[8], own[9], tgt[1], tgt[2], turn}
