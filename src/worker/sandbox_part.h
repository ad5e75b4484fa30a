/* The parts of the sandbox of a worker. */
#ifndef TINYLB_WORKER_SANDBOX_PART_H
#define TINYLB_WORKER_SANDBOX_PART_H

/* The parts of the sandbox, bits of a set. Which of them can be had depends on the kernel. */
enum sandbox_part {
	SANDBOX_GAIN = 1,   /* no program that it runs could gain rights */
	SANDBOX_FILES = 2,  /* no file is opened, by Landlock */
	SANDBOX_PORTS = 4,  /* TCP: no connection but to the backends' ports, and no bind */
	SANDBOX_SCOPES = 8, /* no signal, no abstract unix socket out of the sandbox */
	SANDBOX_CALLS = 16, /* a filter of system calls */
};

#endif
