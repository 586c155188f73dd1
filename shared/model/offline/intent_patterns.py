"""The words that intents are recognised by, as patterns over the canonical text."""

from __future__ import annotations

import re

POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening)|ok|okay|great|thanks|thank you|cool|perfect"
    r"|yes|sure|now"
    r"|then|and|so|also|well|please|pls)(?: there| again| agent)?[,!. ]{1,3}){0,4}"
    r"(?:(?:can|could|would|will) (?:you|we|u)(?: please| kindly| maybe)? |i(?:'d| would)? (?:like|love"
    r"|want|need)"
    r"(?: you)? to |i(?:'d| would)? (?:like|love|want|need) (?=an? )|let's |let us |help me (?:to )?|go "
    r"ahead and |please ){0,3}"
)
QUESTION = re.compile(
    r"^(?:how|what|what's|whats|why|when(?= (?:do|does|is|are|should|will|can|would|did)\b)|where|which|who"
    r"|whose|can|could|does|do (?!the same|it|that|this)|did|is|are|was|should|may|must|has"
    r"|have|explain|tell me|describe|define|will)\b"
)
NEGATED = re.compile(
    r"\b(?:don't|do not|never|please don't|not|before you|without)(?: ever| yet| please)? (?:build|building"
    r"|create|creating|make"
    r"|deploy|deploying|launch|change|changing|backtest|browse|save|saving)\b[^.,;!?\n]{0,40}"
)

BUILD_VERB = (
    r"(?:build|create|make(?! (?:it|this|that|the|my)\b)|write|generate|design|develop|code|implement|set "
    r"?up|construct|give me|get me"
    r"|craft|prepare"
    r"|produce|scaffold|bootstrap|draft|program|need|want|new|start)"
)
BOT_NOUN = (
    r"(?:bots?|strateg(?:y|ies)|traders?|algo|algorithm|trading system|template|trading robot|robot|savings "
    r"plan)"
)
BUILD = re.compile(rf"\b{BUILD_VERB}\b[^.;!?\n]{{0,120}}?\b{BOT_NOUN}\b")
BUILD_ANY = re.compile(rf"^{BUILD_VERB}\b(?! (?:it|this|that|the)\b)|^(?:an? |another |new )")
# No more than the verb.
BUILD_ONE = re.compile(r"^(?:build|create|make)(?: me)?(?: (?:something|one))?[.! ]*$")
TRADES = re.compile(r"\b(?:trad(?:e|es|ing)|buy|sell|invest|bot)\b")
ASKS_HOW = re.compile(r"how (?:do|can|should|to)\b|what is|can i|does the")
A_TO_B = re.compile(r"\d%? ?to \d")
SUGGESTS = re.compile(r"(?:can|could|what if|would) (?:it|the bot|we|i)\b")
NEW_BOT = re.compile(
    rf"\b(?:new|another|second|different|separate|fresh|one more)\b[^.;!?\n]{{0,40}}?\b(?:bot|one|strategy)\b"
    rf"|^{BUILD_VERB}(?: me| us)? (?:an?|one)\b"
    r"|^an? [^.;!?\n]{0,60}?\bbots?\b"
)
IT = r"(?:it|this|that|the bot|my bot|this bot|the strategy|the code|everything)"
BOT = re.compile(r"\bbots?\b")
# `grid bot with 10 levels`, but not `switch the bot to ETH`.
STARTS_WITH_BOT = re.compile(r"^(?:an? )?(?:(?!the|my|this|that|your|its|make)[\w/+-]{1,20} ){1,4}?bots?\b")
STARTS_WITH_WORK = re.compile(r"(?:back|deploy|analy[sz]e|verify|test|check|review|show|list|explain)")
# A strategy and hardly a word more, as one answers a question.
BARE_NAME = re.compile(r"^(?!i |we |you )[\w -]{2,24}[.! ]*$")
SWITCH = re.compile(r"\b(?:switch|instead|convert|change|turn|replace)\b")
CHANGE = re.compile(
    rf"\bmake {IT}\b|\b(?:change|switch|set|use|add|remove|drop|update|modify|adjust|increase|decrease"
    rf"|raise|lower"
    r"|reduce|rename|replace|move|tighten|widen|double|halve|disable|enable|edit|tweak|convert|turn (?:it"
    r"|this|that|the|my|off|on)"
    r"|instead|undo|rewrite|translate|port it|roll ?back|go back|no longer|get rid|put in|give it|let it"
    r"|have it|it should|the bot "
    r"should|revert)\b|^(?:with"
    r"|without|no|now)\b"
)
DOCS = re.compile(r"\b(?:docs?|documentation)\b")
TO_DOCS = re.compile(
    r"\b(?:search|look (?:it |that |this )?up|look through|find|check|consult|read|query)\b[^.;!?\n]{0,40}"
    r"\b(?:docs?|documentation|manual|handbook)\b|\baccording to the (?:docs|documentation)\b|\bdocs?:"
    r"|\b(?:docs?|documentation) (?:about|on|for|says?)\b"
)
LIST_DOCS = re.compile(
    r"\b(?:list|show|display|which|what)\b[^.;!?\n]{0,30}\b(?:doc(?:s|umentation)?(?: pages?)?"
    r"|documentation pages?)\b"
    r"(?! (?:say|about|on))"
)
LIST_FILES = re.compile(
    r"\b(?:list|show|display|see|view|what|which|get)\b[^.;!?\n]{0,40}?\b(?:files?|artifacts?|artefacts?)\b"
    r"(?! (?:called|named))"
)
SHOW = re.compile(
    r"\b(?:show|read|open|print|display|view|cat|see|contents?|content of|what's in|what is in|whats in"
    r"|look at|dump"
    r"|give me|output)\b"
)
THE_CODE = re.compile(
    r"\b(?:the|my|its|your|bot's|generated|strategy) (?:code|source|config|schema|readme|strategy file)\b"
)
SAVE = re.compile(r"\b(?:save|store|write|put|create|add|keep)\b[^.;!?\n]{0,60}?\bfilename\b")
_ANALYZES = (
    r"analy[sz]e|analysis|review|check|lint|audit|inspect|scan|score|rate|critique|assess|look over"
    r"|find (?:bugs|problems|issues|mistakes|vulnerabilities)"
)
ANALYZE = rf"(?:{_ANALYZES})"
ANALYZE_CODE = re.compile(
    rf"\b{ANALYZE}\b[^.;!?\n]{{0,60}}?\b(?:code|bot|bots|files?|script|program|source|quality|security"
    rf"|implementation|it|this)\b"
)
IS_IT_GOOD = re.compile(
    r"\b(?:is|are)\b[^.;!?\n]{0,30}\b(?:code|bot|it|this)\b[^.;!?\n]{0,30}\b(?:safe|secure|ok|okay|good"
    r"|correct|clean|any good"
    r"|ready|right)\b|\b(?:any|what) (?:bugs|problems|issues|vulnerabilities)\b"
)
MARKET = re.compile(
    rf"\b(?:{_ANALYZES}|outlook|trend|trending|volatil\w{{1,5}}|price|prices|market|markets|chart"
    rf"|regime|support|resistance"
    r"|doing|performing|behaving|bullish|bearish|moving today|correlat\w{1,6})\b"
)
ABOUT_SYMBOL = re.compile(
    rf"\b(?:{_ANALYZES}|trend|price|outlook|volatility|chart)\b[^.;!?\n]{{0,25}}\bxsymbol\b"
)
THE_MARKET = re.compile(
    r"\b(?:the|crypto|current|stock) markets?\b|\bmarket (?:analysis|conditions?|outlook|regime|report)\b"
)
BACKTEST = re.compile(
    r"\bback[- ]?test\w{0,4}\b|\bhow (?:would|did|does|has|will) (?:it|this|the bot|my bot"
    r"|that)\b[^.;!?\n]{0,20}\bperform"
    r"|\btest (?:it|the bot|my bot|this|the strategy)\b[^.;!?\n]{0,20}\b(?:on|over|against|with) "
    r"[^.;!?\n]{0,20}"
    r"(?:histor\w{1,7}|past|last|data|candles|prices)"
    r"|\bsimulate (?:it|the bot|my bot|this|the strategy)\b"
)
VERIFY = re.compile(
    r"\b(?:verify|prove|validate|certify)\b[^.;!?\n]{0,30}\b(?:bot|bots|strategy|it|this|that"
    r"|honest\w{0,3})\b|^verify$"
)
DEPLOY = re.compile(
    rf"^(?:deploy|launch|publish|ship|release|go live)\b|\b(?:deploy|launch|publish|ship) (?:{IT}|now|to "
    rf"the0)\b"
    rf"|\bput {IT} live\b|\b(?:start|run) {IT}(?: now)? on (?:the0|the platform)\b"
)
# Of a bot that is deployed: what is asked of its instance.
_ITS = rf"(?:{IT}|its instance|(?:the|an?|my|another|that) instance)"
RUN = re.compile(
    rf"\b(?:start|run|launch|activate|restart|schedule) {_ITS}\b|\b(?:have|let|make) {_ITS} (?:run|start)\b"
    rf"|\b(?:create|make) (?:me )?(?:the|an?|another) instance\b|^(?:start|run)[.! ]*$"
)
STOP = re.compile(
    rf"\b(?:stop|halt|shut ?down|turn off|switch off|kill|end|pause) (?:running )?{_ITS}\b"
    r"(?! (?:when|if|after|at|from|before|loss))"
    r"|\b(?:delete|remove|cancel) (?:the|its|my|that) instance\b|^(?:stop|halt)(?: running)?[.! ]*$"
)
RUNS = re.compile(
    rf"\b(?:is|are|does|did|has) {_ITS} (?:\w+ )?(?:running|run|started?|alive|live|up|stopped)\b"
    rf"|\bstatus of {_ITS}\b|\bhow is {_ITS} (?:doing|running)\b"
)
# Of what a bot has done, as events tell it.
MY_BOT = re.compile(
    r"\b(?:it|my|the|our|this|that|your) ?(?:[\w-]{1,30} ){0,2}?(?:bots?|strategy)\b|\b(?:it|they)\b"
)
WHEN = re.compile(
    r"\b(?:last night|overnight|over night|yesterday|today|this (?:morning|afternoon|evening|week)"
    r"|(?:last|past) (?:\d{1,4} )?(?:minutes?|hours?|days?|weeks?|months?|run|execution)"
    r"|(?:since|on) (?:last )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|during the night"
    r"|so far|lately|recently)\b"
)
DID = re.compile(
    r"\bhow (?:did|does|has|have|is|are|was|were)\b|\bwhat (?:did|has|have|happened)\b"
    r"|\bwhat's (?:new|happening)\b"
    r"|\b(?:did|has|have|is|are|was|were)\b[^.;!?\n]{0,40}\b(?:run|ran|trade[ds]?"
    r"|crash(?:ed)?|fail(?:ed)?|work(?:ed)?"
    r"|earn(?:ed)?|make|made|lose|lost|errors?|ok|okay|fine)\b"
    r"|\b(?:any|show|tell|list)\b[^.;!?\n]{0,30}\b(?:errors?|runs?|crash(?:es)?|failures?"
    r"|executions?|history)\b"
    r"|\bresults? of\b"
)
# Said of nothing else.
DID_WELL = re.compile(
    r"\bhow (?:did|has|have) (?:my|the|our) (?:[\w-]{1,30} ){0,2}?bots? (?:do|done|doing|go"
    r"|gone|been|behave|run|fare)\b"
    r"|\bhow (?:was|were|is|are) (?:my|the|our) (?:[\w-]{1,30} ){0,2}?bots? (?:last night"
    r"|overnight|today|yesterday|doing)\b"
    r"|\bwhat (?:did|has|have) (?:my|the|our) (?:[\w-]{1,30} ){0,2}?bots? (?:do|done|been doing)\b"
    r"|\b(?:history|runs|executions) of (?:my|the|our) (?:[\w-]{1,30} ){0,2}?bots?\b"
    r"|\b(?:the|its) (?:last|latest|newest) run\b"
)
WHY_CRASHED = re.compile(
    r"\bdiagnos\w{1,4}\b|\bwhy (?:did|does|has|have|is|are"
    r"|was)\b[^.;!?\n]{0,40}\b(?:crash\w{0,3}|fail\w{0,3}|break|broke"
    r"|broken|stop(?:ped)?|die[ds]?|error\w{0,3})\b|\b(?:find|tell me|what is|what's"
    r"|what was) (?:the |its )?(?:cause|reason)\b"
    r"|\bwhat went wrong\b|\b(?:look into|investigate|debug|explain) (?:the |its |this "
    r"|that )?(?:last )?(?:crash|failure|error)\b"
)
BROWSE = re.compile(
    r"\b(?:browse|open|visit|fetch|read|go to|load|get|look at|summari[sz]e|check out|scrape|download|see"
    r"|what does|what's on"
    r"|what is (?:on|at|this)|explain|tell me)\b"
)
ADVICE = re.compile(
    r"\bshould i (?:buy|sell|invest|hold|short|long)\b|\bwill (?:the )?(?:market|xsymbol|price|it)s? (?:go"
    r"|rise|fall|crash|moon|pump|dump|reach|hit)\b"
    r"|\b(?:predict|forecast)\b|\b(?:best|good|which) (?:coin|stock|crypto|token|market)s? to (?:buy|trade"
    r"|invest)\b"
    r"|\bguarantee\w{0,2}\b[^.;!?\n]{0,30}\b(?:profit|return|win)"
)
GREET = re.compile(
    r"^(?:hi|hello|hey|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|sup)(?: there| again| "
    r"agent| you| bot| all)?"
    r"(?:[,!. ]{0,3}(?:how are you(?: doing| today)?|what's up|nice to meet you))?[!.? ]*$"
)
THANK = re.compile(
    r"^(?:(?:ok|okay|great|perfect|nice|cool|awesome|wonderful|good|excellent|amazing|thanks|thank you|thx"
    r"|ty|cheers|bye|goodbye"
    r"|got it|that's all|no thanks|looks good|well done|good job)(?: so much| a lot| very much| you| again| "
    r"job| work)?[,!. ]{0,3}){1,4}$"
)
HELP = re.compile(
    r"^(?:help|help me|\?|menu|commands?|options|start|usage)[!.? ]*$|\bwhat (?:can|do) you (?:do|offer"
    r"|support"
    r"|know)\b|\bwho (?:are|r) (?:you|u)\b|\bcan you help(?: me)?[?!. ]*$"
    r"|\bwhat are you\b|\bhow (?:can|do) (?:you|i) (?:help|use you|use this|get started|start|begin)\b"
    r"|\bwhat (?:can|should) i (?:ask|do|say)\b"
    r"|\b(?:which|what) (?:strategies|strategy types|strategy|languages|bots|templates)\b[^.;!?\n]{0,40}"
    r"\b(?:can|do|are|available|support\w{0,3}|offer\w{0,3}|there|have|know|build)\b|\bare you (?:an? "
    r")?(?:ai|llm|gpt|gemini|real|human|bot|language model)"
    r"|\b(?:list|show)(?: me)?(?: all)?(?: the)?(?: available| supported)? (?:strategies|templates)\b"
)
DESCRIBE = re.compile(
    r"\b(?:what|which|show|describe|list|tell|remind|summari[sz]e|explain|how)\b[^.;!?\n]{0,50}"
    r"\b(?:current |its |my |the bot's |effective )(?:param\w{1,8}|settings?|configuration|values?|strategy"
    r"|bot)\b"
    rf"|\bhow (?:do|can|should) i (?:run|start|test|use|replay|install|execute) {IT}\b|\bwhat does (?:it"
    rf"|the bot|my bot|this bot) do\b"
    r"|\bwhat did you (?:build|make|change)\b"
)
EXPLAIN = re.compile(
    r"\b(?:explain|what is|what's|what are|whats|how do(?:es)?|describe|tell me about|define|meaning of"
    r"|difference between"
    r"|when (?:should|do) i use|pros and cons|compare)\b"
)
ABOUT_PLATFORM = re.compile(
    r"\b(?:the0|platform|bot-config|bot-schema|config\.?yaml|sdk|deploy\w{0,5}|docker|kubernetes|cli"
    r"|runtime|entry ?points?|secrets?"
    r"|metrics?|state|mcp|install|schedule|cron|dependenc\w{1,4}|custom bots?|bot types?|backtest\w{0,4}"
    r"|frontend|logs?)\b"
)
NO = re.compile(
    r"^(?:no|nope|nah|never ?mind|cancel(?: (?:it|that))?|forget (?:it|that)|not now|don't|do not|leave it)"
    r"(?:[,. ]{1,2}(?:thanks|thank you|please|leave it|cancel))?[.! ]*$"
)
YES = re.compile(
    r"^(?:yes|yeah|yep|yup|sure|ok|okay|please do|do it|do that|go ahead|fine|alright|of course|please)"
    r"(?:[,. ]{1,2}(?:please|do it|do that|go ahead|thanks|sure))?[.! ]*$"
)
