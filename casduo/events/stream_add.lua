-- Add events, in their order. KEYS[1] the stream; ARGV the records.
for _, record in ipairs(ARGV) do redis.call('XADD', KEYS[1], '*', 'record', record) end
return #ARGV
