/*
 * The scripts by which shells complete: shmlog.bash, shmlog.zsh and shmlog.fish
 * in this folder, which the Makefile makes a C file of.
 *
 * They carry the question to the program, and its answer to the shell: what
 * words mean is decided in the program alone.  A record of the answer ends in
 * NUL, and is a letter and a text:
 *
 *   w  a word                d  a folder
 *   p  a part of a word      n  nothing but what the shell finds by itself
 *   f  a file                h  what could be typed (zsh)
 *
 * The text is without what the shell keeps by itself of the word: what stands
 * before the last break (bash), or before the last slash of a file or the "="
 * (zsh).  A description follows, behind a tab (fish) or in a record of
 * its own (zsh).
 */
#ifndef CLI_SCRIPTS_H
#define CLI_SCRIPTS_H

extern const char cli_script_bash[];
extern const char cli_script_zsh[];
extern const char cli_script_fish[];

#endif
