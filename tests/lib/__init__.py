"""What the tests of the real program are made of: the program itself (tinylb), scripted backends
(origin), raw clients (client), and the small things they share (wait, ports, message, process)."""
