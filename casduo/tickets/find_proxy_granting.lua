-- Read a proxy-granting ticket and the session behind it. KEYS[1] the ticket; ARGV[1] what the keys of TGTs in this slot
-- begin with. Answers the ticket, the session, its strength and when it was used last (nil, all three, when the session
-- has ended); nothing for no ticket.
local ticket = redis.call('GET', KEYS[1])
if not ticket then return false end
local session = redis.call('HMGET', ARGV[1] .. string.sub(ticket, 1, 64), 'session', 'strength', 'used')
return {ticket, session[1], session[2], session[3]}
