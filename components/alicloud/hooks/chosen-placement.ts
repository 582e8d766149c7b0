/** The variable of the environment that hands the placement which `ops heal` has chosen to the command that places the host. */
export const chosenPlacement = "CLOUDCODE_PLACEMENT";
