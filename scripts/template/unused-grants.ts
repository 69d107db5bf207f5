/** Granted actions that no local run can use, each with the reason for which the role has it all the same. */
export const NEEDED_UNSEEN: readonly { role: string; action: string; why: string }[] = [];
