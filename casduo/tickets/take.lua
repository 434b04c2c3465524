-- Take a one-use ticket: after this call it is gone, whatever the caller makes of it.
-- KEYS[1] the ticket; ARGV[1] what the keys of TGTs in this slot begin with.
-- A ticket begins with the 64 characters of its session's fingerprint.
-- Answers the ticket, the session and its strength (both nil when the session has ended); nothing for no ticket.
local ticket = redis.call('GETDEL', KEYS[1])
if not ticket then return false end
local session = redis.call('HMGET', ARGV[1] .. string.sub(ticket, 1, 64), 'session', 'strength')
return {ticket, session[1], session[2]}
