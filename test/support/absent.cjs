// Stands for TypeScript's compiler and npm's Arborist, which Pulumi's SDK loads and this program never calls.
