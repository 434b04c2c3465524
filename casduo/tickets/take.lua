-- Take a one-use ticket: after this call it is gone, whatever the caller makes of it.
-- KEYS[1] the ticket; ARGV[1] what the keys of TGTs in this slot begin with, ARGV[2] the same of lists of visits,
-- ARGV[3] the ticket's id, ARGV[4] how many visits a session keeps at most.
-- A ticket begins with the 64 characters of its session's fingerprint, then comes the entry's id and a space.
-- A service that validates a ticket has to be told when the session ends: that is noted in the same step, or a logout
-- in between would not know of it.
-- Answers the ticket, the session and its strength (both nil when the session has ended); nothing for no ticket.
local ticket = redis.call('GETDEL', KEYS[1])
if not ticket then return false end
local owner = string.sub(ticket, 1, 64)
local key = ARGV[1] .. owner
local session = redis.call('HMGET', key, 'session', 'strength', 'hard')
if session[1] then
  local rest = string.sub(ticket, 65)
  local visits = ARGV[2] .. owner
  if redis.call('RPUSH', visits, ARGV[3] .. ' ' .. rest) > tonumber(ARGV[4]) then redis.call('LPOP', visits) end
  redis.call('PEXPIREAT', visits, session[3])
  redis.call('HDEL', key, 'row:' .. string.match(rest, '^[^ ]*'))
end
return {ticket, session[1], session[2]}
