"""What the rule-based responder knows, as data.

`{me}` is the agent's name, `{you}` the caller's first name with a comma before it (or nothing),
`{abilities}` what the advertised tools can do.
"""

from __future__ import annotations

CAPITALS = {
    "argentina": "Buenos Aires", "australia": "Canberra", "austria": "Vienna",
    "belgium": "Brussels", "brazil": "Brasília", "bulgaria": "Sofia", "canada": "Ottawa",
    "chile": "Santiago", "china": "Beijing", "colombia": "Bogotá", "croatia": "Zagreb",
    "cuba": "Havana", "czechia": "Prague", "the czech republic": "Prague",
    "denmark": "Copenhagen", "egypt": "Cairo", "england": "London", "estonia": "Tallinn",
    "ethiopia": "Addis Ababa", "finland": "Helsinki", "france": "Paris", "germany": "Berlin",
    "ghana": "Accra", "greece": "Athens", "hungary": "Budapest", "iceland": "Reykjavik",
    "india": "New Delhi", "indonesia": "Jakarta", "iran": "Tehran", "iraq": "Baghdad",
    "ireland": "Dublin", "israel": "Jerusalem", "italy": "Rome", "japan": "Tokyo",
    "kenya": "Nairobi", "latvia": "Riga", "lithuania": "Vilnius", "luxembourg": "Luxembourg",
    "mexico": "Mexico City", "morocco": "Rabat", "nepal": "Kathmandu",
    "the netherlands": "Amsterdam", "new zealand": "Wellington", "nigeria": "Abuja",
    "norway": "Oslo", "pakistan": "Islamabad", "peru": "Lima", "the philippines": "Manila",
    "poland": "Warsaw", "portugal": "Lisbon", "romania": "Bucharest", "russia": "Moscow",
    "saudi arabia": "Riyadh", "scotland": "Edinburgh", "serbia": "Belgrade",
    "slovakia": "Bratislava", "slovenia": "Ljubljana", "south korea": "Seoul",
    "spain": "Madrid", "sweden": "Stockholm", "switzerland": "Bern", "thailand": "Bangkok",
    "tunisia": "Tunis", "turkey": "Ankara", "ukraine": "Kyiv",
    "the united kingdom": "London", "the united states": "Washington, D.C.",
    "uruguay": "Montevideo", "venezuela": "Caracas", "vietnam": "Hanoi", "wales": "Cardiff",
}  # fmt: skip
"""Country (lower case, with its article) to capital."""

COUNTRY_ALIASES = {
    "america": "the united states", "usa": "the united states", "us": "the united states",
    "united states": "the united states", "united states of america": "the united states",
    "uk": "the united kingdom", "united kingdom": "the united kingdom",
    "britain": "the united kingdom", "great britain": "the united kingdom",
    "holland": "the netherlands", "netherlands": "the netherlands",
    "philippines": "the philippines", "czech republic": "the czech republic",
}  # fmt: skip

FACTS: tuple[tuple[str, str], ...] = (
    (r"how many days.*\bweek\b", "There are seven days in a week."),
    (r"how many days.*\byear\b", "A year has 365 days, and a leap year has 366."),
    (r"how many months.*\byear\b", "There are twelve months in a year."),
    (r"how many weeks.*\byear\b", "There are 52 weeks in a year, and a day or two more."),
    (r"how many hours.*\bday\b", "There are 24 hours in a day."),
    (r"how many minutes.*\bhour\b", "There are sixty minutes in an hour."),
    (r"how many seconds.*\bminute\b", "There are sixty seconds in a minute."),
    (r"how many (?:planets|worlds)", "There are eight planets in our solar system."),
    (r"how many continents", "There are seven continents."),
    (r"how many legs.*\bspider", "A spider has eight legs."),
    (r"how many legs.*\b(?:dog|cat|horse|cow)", "It has four legs."),
    (r"how many sides.*\btriangle", "A triangle has three sides."),
    (r"how many letters.*\balphabet", "The English alphabet has 26 letters."),
    (r"colou?rs.*\brainbow", "Red, orange, yellow, green, blue, indigo and violet."),
    (r"(?:largest|biggest) planet", "Jupiter is the largest planet in our solar system."),
    (r"(?:largest|biggest) ocean", "The Pacific is the largest ocean."),
    (r"(?:largest|biggest) country", "Russia is the largest country by area."),
    (r"(?:tallest|highest) mountain", "Mount Everest is the highest mountain on Earth."),
    (r"longest river", "The Nile and the Amazon are the longest rivers."),
    (r"fastest (?:land )?animal", "The cheetah is the fastest animal on land."),
    (r"(?:largest|biggest) animal", "The blue whale is the largest animal."),
    (r"water boil|boiling point of water", "Water boils at 100 degrees Celsius."),
    (r"water freeze|freezing point of water", "Water freezes at zero degrees Celsius."),
    (r"speed of light", "Light travels at about 300,000 kilometers per second."),
    (r"what colou?r is (?:the )?sky", "The sky is blue, on a good day."),
    (r"why is (?:the )?sky blue", "Because air scatters blue light more than red light."),
    (r"who wrote hamlet|who wrote romeo", "William Shakespeare wrote it."),
    (r"who painted (?:the )?mona lisa", "Leonardo da Vinci painted it."),
    (r"what (?:is|does) antiphon\b|meaning of antiphon",
     "An antiphon is a chant sung by two sides in turn. It is also the framework I run on."),
)  # fmt: skip
"""Patterns of questions (over the spelled-out, lower-case text) and what to say."""

FAREWELL = (
    r"\b(?:good ?bye|bye(?: bye)?|see you(?: later| soon)?|talk to you later|farewell|hang up"
    r"|end (?:the|this) (?:call|conversation))\b"
)

PRAISE = (
    r"\b(?:you are|that is|that was|well|this is) (?:very |really |so |quite )?"
    r"(?:great|good|nice|cool|amazing|awesome|wonderful|helpful|perfect|funny|done|smart)\b"
)

SMALL_TALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^(?:(?:no|ok|okay|yes|well) )*(?:thank you|thanks|many thanks|cheers)\b",
     ("You are welcome{you}.", "My pleasure{you}.", "Any time{you}.")),
    (r"\b(?:how are you|how do you do|how is it going|how are things|how are you doing)\b",
     ("I am doing well, thank you. How can I help you{you}?",
      "Very well, thank you{you}. What can I do for you?")),
    (r"\bwho (?:made|built|created|wrote) you\b",
     ("I am part of Antiphon, a framework for voice agents. Its makers wrote my rules.",)),
    (r"\bare you (?:a |an )?(?:human|person|real|robot|bot|machine|computer|ai|alive)\b",
     ("I am a program: Antiphon's built-in responder, made of rules.",)),
    (r"\b(?:who|what) are you\b|\byour name\b|introduce yourself|tell me about yourself",
     ("I am {me}. I run on Antiphon's built-in rules, not a language model. {abilities}",)),
    (r"\bwhat (?:can|could) you do\b|\bwhat do you do\b|\bhow can you help\b|\bhelp me\b|^help$",
     ("{abilities}",)),
    (r"\b(?:can|do) you hear me\b|\bare you (?:still )?there\b",
     ("Yes, I can hear you{you}.", "I am here{you}.")),
    (r"\bwhere are you\b|\bwhere do you live\b", ("I live in the computer you are talking to.",)),
    (r"\bhow old are you\b", ("I am as old as the program you started.",)),
    (r"\bjoke\b|\bmake me laugh\b|\bsomething funny\b",
     ("Why did the microphone go to school? It wanted to be a better listener.",
      "I would tell you a joke about silence, but it would be too quiet.",
      "What do you call two sides that sing in turn? Well rehearsed.")),
    (r"\b(?:sing|song)\b.*\bfor me\b|\bsing (?:a|something)\b",
     ("La, la, la. I had better leave it there.",)),
    (r"\bi love you\b|\bi like you\b", ("That is kind of you{you}.",)),
    (PRAISE,
     ("I am glad to hear that{you}.", "Thank you{you}.")),
    (r"\bsorry\b|\bmy mistake\b", ("No problem at all{you}.",)),
    (r"\bnice to meet you\b|\bpleased to meet you\b", ("Nice to meet you too{you}.",)),
    (r"\bi am (?:fine|good|well|great|okay|doing (?:fine|well|great))\b",
     ("I am glad to hear that{you}.",)),
    (r"\bi am (?:sad|tired|bored|sick|ill|upset|angry|lonely)\b",
     ("I am sorry to hear that{you}. I hope it gets better soon.",)),
    (r"^(?:never ?mind|forget it|stop|cancel|nothing)\b", ("All right{you}.",)),
    (r"^(?:please )?(?:wait|hold on|one moment|just a (?:moment|second|minute))\b",
     ("Take your time{you}.",)),
    (r"^(?:yes|yeah|yep|sure|okay|ok|right|exactly|of course)(?: please)?$",
     ("All right{you}. What would you like?", "Good{you}. What can I do for you?")),
    (r"^(?:no|nope|not really|no thank you|no thanks)$",
     ("All right{you}. Just say so if you need anything.",)),
    (r"\bgood (?:morning|afternoon|evening|day)\b", ("Hello{you}! How can I help you?",)),
    (r"\bgood ?night\b", ("Good night{you}.",)),
    (r"\b(?:hello|hi|hey|howdy|greetings)\b",
     ("Hello{you}! How can I help you?", "Hello again{you}! What can I do for you?")),
    (r"\btest(?:ing)?\b", ("I can hear you{you}. The test works.",)),
)  # fmt: skip
"""Patterns (first match wins) and their answers, used in turn."""

INSTRUCTIONS: tuple[tuple[str, str], ...] = (
    (r"good ?bye|farewell|end of the (?:call|conversation)", "Goodbye{you}! Talk to you soon."),
    (r"still there|idle|quiet|silent|silence|not (?:said|responded|spoken|answered)|inactiv",
     "Are you still there{you}?"),
    (r"introduce|greet|welcome|say hello|start (?:by|the)|begin the",
     "Hello{you}! I am {me}. {abilities} How can I help you?"),
)  # fmt: skip
"""Developer instructions and what to say on them."""

GREETING = "Hello! I am {me}. How can I help you?"
FAREWELLS = ("Goodbye{you}! It was nice talking to you.",)
UNKNOWN = (
    "I do not know that{you}, I am only a small set of rules. {abilities}",
    "That is beyond my rules{you}. {abilities}",
)
ACKNOWLEDGED = ("I see{you}. What can I do for you?", "I understand{you}. Tell me more.")

TOPICS: dict[str, tuple[str, ...]] = {
    "weather": ("rain", "raining", "sunny", "snow", "umbrella", "forecast", "hot", "cold",
                "warm", "temperature", "degrees", "outside", "windy", "cloudy"),
    "forecast": ("weather", "rain", "sunny", "snow", "umbrella"),
    "time": ("clock", "o'clock"),
    "timer": ("remind", "countdown"),
    "reminder": ("remind", "remember", "forget"),
    "remind": ("reminder", "remember"),
    "alarm": ("wake",),
    "light": ("lamp", "lights", "bulb", "dark", "bright"),
    "lamp": ("light", "lights", "bulb"),
    "music": ("song", "album", "playlist", "listen"),
    "restaurant": ("eat", "hungry", "dinner", "lunch", "food"),
    "order": ("buy", "purchase"),
    "book": ("reserve", "reservation", "appointment"),
    "reservation": ("book", "reserve", "table"),
    "appointment": ("book", "schedule", "meeting"),
    "flight": ("fly", "plane", "flights"),
    "email": ("mail", "message"),
    "message": ("text",),
    "call": ("phone", "dial", "ring"),
    "balance": ("money", "account"),
    "price": ("cost", "expensive", "cheap"),
    "stock": ("share", "shares"),
    "dice": ("die", "roll"),
    "coin": ("flip", "toss", "heads", "tails"),
    "joke": ("funny", "laugh"),
    "end": ("bye", "goodbye", "hangup"),
    "hang": ("bye", "goodbye"),
    "transfer": ("human", "agent", "operator", "person"),
    "search": ("find", "look", "google"),
}  # fmt: skip
"""Words that ask for a tool although its name says another word."""

DULL = frozenset(
    "a an the of for in on at to from by with and or if is are was be been it its this that these "
    "those i you he she we they me my your our their his her what which who whom whose when where "
    "why how do does did can could will would shall should may might must get gets fetch give "
    "gives given show tell let please now current currently right user users caller customer "
    "value information info data name use used using return returns some any all about into up "
    "out as not no yes there here new one e.g such like string number specific particular "
    "provided provides allows via want need make much many so just today tomorrow go have has"
    " run set find look know state function tool".split()
)
"""Words that say nothing about which tool is meant."""

STATEMENT = (
    r"^(?:i|we) (?:really |just |also |do not )?"
    r"(?:love|like|hate|enjoy|think|feel|am|was|had|have|saw|met|went)\b[^?]*$"
    r"|^(?:the|my|our|his|her|their) [\w ]+ (?:is|was|are|were|has|had)\b[^?]*$"
    r"|^do you (?:like|love|enjoy|prefer|eat|hate)\b"
)
"""The caller is telling something or asking for an opinion, not for anything to be done."""
