-- Take a one-use ticket: after this call it is gone, whatever the caller makes of it.
-- KEYS[1] the ticket; ARGV[1] what the keys of TGTs in this slot begin with.
-- Answers the ticket's fields and those of its session (empty when the session has ended); nothing for no ticket.
local ticket = redis.call('HGETALL', KEYS[1])
if #ticket == 0 then return false end
redis.call('DEL', KEYS[1])
local session = {}
for i = 1, #ticket, 2 do
  if ticket[i] == 'tgt' then session = redis.call('HGETALL', ARGV[1] .. ticket[i + 1]) end
end
return {ticket, session}
