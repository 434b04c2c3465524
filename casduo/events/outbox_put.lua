-- Have messages wait. ARGV[1] the messages, a JSON list of lists: id, destination, text.
put_all(cjson.decode(ARGV[1]))
return 1
