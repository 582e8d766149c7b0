// Stands for what jest.config.mjs names: packages load it, and no test needs it.
