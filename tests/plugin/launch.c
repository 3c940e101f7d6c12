/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launch COMMAND [ARGUMENT...]: runs it, between two marks for share.c. So what
 * is counted has the command's own start and end in it. Its exit status is the
 * command's.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/plugin/mark.h"

extern char **environ;

int main(int argc, char **argv)
{
	int status = -1;
	pid_t pid;

	if (argc < 2)
		return 2;
	MARK(MARK_BEGIN);
	if (posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ)) {
		perror(argv[1]);
		return 127;
	}
	waitpid(pid, &status, 0);
	MARK(MARK_END);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
