/** TG Signer with the least it needs. */
export const tgSigner = {
  tgSignerEnabled: "true",
  tgSignerApiId: "12345678",
  tgSignerApiHash: "0123456789abcdef0123456789abcdef",
};

/** The donation site with the least it needs. */
export const donation = {
  donationEnabled: "true",
  donationLinuxDoClientId: "client-of-linux-do",
  donationLinuxDoClientSecret: "secret of linux do",
  donationNewApiUrl: "https://api.example.com",
  donationNewApiAdminToken: "new-api-admin-token",
};

/** A tunnel's token of the right shape, of no tunnel. */
export const tunnelToken = Buffer.from(JSON.stringify({ a: "account", t: "tunnel", s: "c2VjcmV0" })).toString("base64");
