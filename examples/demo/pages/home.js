'use strict'

const { html } = require('./html')

function homePage () {
  return {
    title: 'A small shop without a session store',
    body: html`
    <p class="lead">Who you are, what is in your cart and the token for another company's API: the server keeps none of
      it. All of it lies in your browser, in one cookie that neither you nor anyone on the way can read or change.</p>
    <div class="cards">
      <a class="card" href="/orders"><h2>A private page</h2>
        <p>It answers 401 until you sign in. What it shows comes from another API, called with a token that your session
          holds and your browser never sees.</p></a>
      <a class="card" href="/cart"><h2>A cart, changed in place</h2>
        <p>The code pushes to an array and counts up a number inside it. The session notices. The cart you fill before
          you sign in comes with you.</p></a>
      <a class="card" href="/sessions"><h2>Sign out everywhere</h2>
        <p>The server knows no session, and ends any of them: a copy of a cookie is refused. To change your password you
          show once more who you are.</p></a>
      <a class="card" href="/cookie"><h2>What the browser holds</h2>
        <p>The cookie as it is sent, beside what the server reads in it.</p></a>
    </div>
    <p class="note">The names and passwords to sign in with are printed where the demo was started.</p>`
  }
}

module.exports = { homePage }
