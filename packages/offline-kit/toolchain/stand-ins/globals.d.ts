/** Put in by the bundler: the version of the official plugin that this one stands in for. */
declare const STAND_IN_VERSION: string;
