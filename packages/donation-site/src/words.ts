const en = {
  title: "Donation site",
  login: "Sign in with Linux Do",
  logout: "Sign out",
  retry: "Try again",
  home: "Home",
  intro: "Give a provider account to the shared pool and get quota at new-api for it.",
  signedInAs: "Signed in as",
  bind: "Link account",
  bindHelp: "Number of your new-api user. It must be linked to the same Linux Do account over there.",
  bound: "Linked to new-api user",
  newApiUser: "new-api user",
  donate: "Donate",
  donateHelp: "Upload the auth file (JSON) of a provider account. It is checked, and accepted once.",
  authFile: "Auth file",
  bindFirst: "Link your new-api user first.",
  status: "Status",
  none: "No donation yet.",
  amount: "Quota",
  authFiles: "Auth files",
  needPerson: "Need a person",
  upload: "Upload",
  download: "Download",
  remove: "Delete",
  checking: "being checked",
  owed: "accepted, quota follows",
  sent: "accepted, quota follows",
  granted: "quota added",
  refused: "not accepted",
  person: "an administrator looks at it",
  nothingOpen: "No donation needs a person.",
  decideHelp: "Look at the user's quota at new-api first: nothing here tells whether it was given.",
  given: "Quota was given",
  give: "Give quota now",
  refuse: "Refuse",
  e409decided: "This donation needs no person any more.",
  e400login: "The sign-in was refused or is too old.",
  e400: "This was not understood.",
  e400file: "This is no auth file of a known provider.",
  e400invalid: "The provider does not accept this credential.",
  e401: "Please sign in first.",
  e403: "This is not allowed.",
  e403bind: "That new-api user is linked to another Linux Do account, or to none.",
  e404: "There is nothing here.",
  e404user: "new-api has no such user.",
  e409: "This credential was donated before.",
  e409bind: "That new-api user is linked already.",
  e413: "The file is too large.",
  e429: "Too many attempts. Please wait a while.",
  e500: "Something went wrong. Please try again later.",
};

export type Words = typeof en;

const zh: Words = {
  title: "捐赠站",
  login: "使用 Linux Do 登录",
  logout: "退出登录",
  retry: "重试",
  home: "首页",
  intro: "把服务商账号捐给公共池，换取 new-api 额度。",
  signedInAs: "当前用户",
  bind: "绑定账号",
  bindHelp: "您的 new-api 用户编号；该用户须已在 new-api 绑定同一个 Linux Do 账号。",
  bound: "已绑定 new-api 用户",
  newApiUser: "new-api 用户",
  donate: "捐赠",
  donateHelp: "上传服务商账号的凭证文件（JSON）。验证通过后接收，每份凭证只计一次。",
  authFile: "凭证文件",
  bindFirst: "请先绑定 new-api 用户。",
  status: "状态",
  none: "还没有捐赠。",
  amount: "额度",
  authFiles: "凭证文件",
  needPerson: "需要人工处理",
  upload: "上传",
  download: "下载",
  remove: "删除",
  checking: "验证中",
  owed: "已接收，额度稍后到账",
  sent: "已接收，额度稍后到账",
  granted: "额度已到账",
  refused: "未接收",
  person: "等待管理员处理",
  nothingOpen: "没有需要人工处理的捐赠。",
  decideHelp: "请先在 new-api 查看该用户的额度：这里无法判断额度是否已到账。",
  given: "额度已发放",
  give: "立即发放额度",
  refuse: "拒绝",
  e409decided: "这笔捐赠已无需人工处理。",
  e400login: "登录被拒绝或已过期。",
  e400: "请求无效。",
  e400file: "这不是已知服务商的凭证文件。",
  e400invalid: "服务商不接受这份凭证。",
  e401: "请先登录。",
  e403: "没有权限。",
  e403bind: "该 new-api 用户没有绑定您的 Linux Do 账号。",
  e404: "页面不存在。",
  e404user: "new-api 没有这个用户。",
  e409: "这份凭证已经捐赠过。",
  e409bind: "该 new-api 用户已被绑定。",
  e413: "文件太大。",
  e429: "操作过于频繁，请稍后再试。",
  e500: "出错了，请稍后再试。",
};

export type Language = "en" | "zh";
export const words: Readonly<Record<Language, Words>> = { en, zh };

/** The better liked of the two languages (RFC 9110, 12.5.4). */
export function languageOf(accepted = ""): Language {
  const liked = accepted
    .split(",")
    .map((item, index) => {
      const [tag = "", ...parameters] = item.trim().toLowerCase().split(";");
      const quality = parameters.map((text) => /^\s*q=([\d.]+)$/.exec(text)?.[1]).find((text) => text !== undefined);
      return { language: tag.split("-")[0], quality: Number(quality ?? 1), index };
    })
    .filter(({ language, quality }) => quality > 0 && (language === "zh" || language === "en"))
    .sort((a, b) => b.quality - a.quality || a.index - b.index);
  return liked[0]?.language === "zh" ? "zh" : "en";
}
