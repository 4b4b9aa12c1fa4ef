// Where drafts are kept: each tab has its own, so that two of them never write over each other; a tab
// without one, after a restart of the browser say, finds what was written last in any.
const own = (key) => `own:${key}`; // apart from drafts of temporary chats, which only this tab keeps

/** Used like a Storage. What a tab has sent or emptied stays empty in it, whatever others write. */
export const drafts = {
  getItem: (key) => (sessionStorage.getItem(own(key)) ?? localStorage.getItem(key)) || null,

  setItem(key, value) {
    sessionStorage.setItem(own(key), value);
    localStorage.setItem(key, value);
  },

  removeItem(key) {
    const mine = sessionStorage.getItem(own(key));
    if (mine === null) return; // what is there was written elsewhere
    if (localStorage.getItem(key) === mine) localStorage.removeItem(key);
    sessionStorage.setItem(own(key), "");
  },
};
