"""Words and first names that begin with d, mostly English: none of them is read as `d` glued to a handle."""

_WORDS = """
d da dab dabble dabei dabs dace dachshund dad dada daddies daddy dads dae daemon daemons daffodil daft dafür dag
dagger daggers dahl dahlia dailies daily dainty dairies dairy dais daisies daisy dale dales dally dam damage damaged
damages damaging dame damit dammit damn damned damning damp dampen damper damping dams damsel dan dana danach dance
danced dancer dancers dances dancing dandelion dandruff dandy dane daneben dang danger dangerous dangerously dangers
dangle dangling daniel daniela danielle danish dank danke dann danny dap dapper darauf dare dared dares daresay darf
daria daring dario darius dark darken darker darkest darkly darkness darla darlene darling darn darned darrell darren
darryl dart darth darts darwin daryl das dash dashboard dashboards dashcam dashed dashes dashing dass dat data
database databases datacenter dataset datasets datasheet date dated dateline dates dating datum daub daughter
daughters daunt daunted daunting dauntless dave david davis davy dawdle dawn dawned dawning dawns day daybreak
daydream daylight daylong days daytime dayton daze dazed dazzle dazzled dazzling db dba dc dd ddos de deacon
deactivate deactivated dead deadbeat deadbolt deadline deadlines deadlock deadly deadpan deaf deafening deal dealer
dealers dealership dealing dealings deals dealt dean deanna dear dearest dearly dears dearth death deaths deb debacle
debar debate debated debates debating debbie debian debit debited debits deborah debrief debriefing debris debt debtor
debts debug debugged debugger debugging debunk debut debuts dec decade decadent decades decaf decal decals decant
decay decayed decays deceased deceit deceive deceived december decency decent decently deception decibel decide
decided decidedly decider decides deciding decimal decimals decipher decision decisions decisive deck decked decking
decks declaration declare declared declares declaring decline declined declines declining deco decode decoded
decommission decompose decor decorate decorated decorating decoy decrease decreased decreases decree decrypt dedicate
dedicated dedication deduce deduct deducted deductible deduction deductions deed deeds deem deemed deep deepen deeper
deepest deeply deer def deface default defaulted defaults defeat defeated defect defection defective defects defence
defend defendant defended defender defending defends defense defensive defer deferral deferred defiant deficiency
deficient deficit define defined defines defining definite definitely definition definitive deflate deflect defog
deforest defraud defrost deft defunct defuse defy degrade degraded degree degrees dehydrate dehydrated deidre dein
deine deirdre deity deja delay delayed delaying delays delegate delegated delegates delegation delete deleted deletes
deleting deletion deli deliberate delicacy delicate delicious delight delighted delightful delilah delinquent deliver
deliverable deliverables delivered deliveries delivering delivers delivery dell della delta deltas deluge deluxe delve
dem demain demand demanded demanding demands demean demeanor dementia demi demnach demo democracy democrat democratic
demoed demoing demolish demolished demolition demon demons demonstrate demonstrated demonstration demos demote demoted
demur den denial denied denies denim denise denke denmark denn dennis denny denote denounce dens dense density dent
dental dented dentist dentists dents denver deny denying deodorant depart departed departing department departments
departs departure departures depend dependable depended dependence dependencies dependency dependent depending depends
depict deplete depleted deploy deployed deploying deployment deployments deploys deport deposit deposited deposits
depot depots depreciation depress depressed depressing depression deprive depth depths depuis deputies deputy der
derail derailed derby derek derivative derive derived dermot derrick des descend descended descent describe described
describes describing description descriptions desde desert deserted deserts deserve deserved deserves deserving
deshalb design designate designated designed designer designers designing designs desirable desire desired desiree
desires desk desks desktop desktops desmond desolate despair desperate desperately despise despite dessen dessert
desserts destination destined destiny destroy destroyed destroying destruction detach detached detail detailed
detailing details detain detained detect detected detecting detection detective detector detention deter detergent
deteriorate determine determined determines detonate detour detours detox detract detroit deuce deux dev devalue
devant devastate devastated devastating develop developed developer developers developing development developments
develops deviate deviation device devices devil devils devin devious devise devoid devolve devon devops devote devoted
devotion devour devs dew dexter di diabetes diabetic diagnose diagnosed diagnosis diagnostic diagnostics diagonal
diagram diagrams dial dialed dialing dialog dialogue dials diameter diamond diamonds diana diane dianna dianne diaper
diapers diaries diary dibs dice diced dich dicho dick dictate dictated dictionary did diddly didi didnt die died diego
diem dienstag dies diese diesel dieser dieses diet dieter diets diff differ differed difference differences different
differential differently differs difficult difficulty diffs dig digest digger digging digicam digit digital digits
dignity digs dilemma dill dilute dim dime dimension dimensions dimes diminish dimitri dimly dimmed dimmer dina dine
diner diners ding dinge dining dinky dinner dinners dino dinosaur dint dion dip diploma diplomat dipped dipping dips
dir dire direct directed directing direction directions directive directly director directories directors directory
directs dirk dirt dirtier dirty dis disable disabled disables disabling disagree disagreed disagrees disappear
disappeared disappoint disappointed disappointing disapprove disaster disasters disband disbelief disc discard
discarded discharge discharged disclose disclosed disclosure disco discomfort disconnect disconnected discontinue
discord discount discounted discounts discourage discover discovered discovers discovery discreet discrepancy discrete
discretion discs discuss discussed discusses discussing discussion discussions disease disguise disgust disgusting
dish dishes dishonest dishwasher disinfect disk disks dislike disliked dislikes dislocated dismal dismantle dismiss
dismissed disney disorder dispatch dispatched dispatcher dispatchers dispatches dispatching dispense dispenser display
displayed displaying displays disposable disposal dispose disposed dispute disputed disputes disregard disrupt
disrupted disruption dissolve distance distances distant distinct distinction distinguish distract distracted
distraction distress distribute distributed distribution distributor district districts distrust disturb disturbed
disturbing ditch ditched ditches dito ditto div diva dive dived diver divers diverse diversion diversity divert
diverted divide divided dividend dividends divides dividing divine diving division divisions divorce divorced divvy
diwali dixie diy dizzy dj dk dmitri dna dnf dns do doable doc doch dock docked docker docket docking docks docs doctor
doctors document documentary documentation documented documenting documents dodge dodged dodgy doe does doesnt dog
dogfood doggy dogs dogwood doh doing doings dolce doll dollar dollars dollies dolls dolly dolores dolphin dolphins
domain domains domani dome domestic dominant dominate domingo dominic dominik dominique dominoes don donald donate
donated donating donation donations donc donde done dong dongle donkey donna donnerstag donnie donor donors dont donut
donuts doodle doom doomed door doorbell doorman doors doorstep doorway dope dopey dopo doppelt dora doreen dorian
doris dork dorm dorms dorothy dort dos dosage dose doses dot dots dotted dotty double doubled doubles doubling doubly
doubt doubted doubtful doubting doubts doug dough doughnut doughnuts douglas dour douse dove doves dow down downed
downer downfall downgrade downgraded downhill download downloaded downloading downloads downpour downright downs
downside downsize downstairs downstream downtime downtown downturn downward downwards doze dozed dozen dozens dozer
dozing dpi dr drab draft drafted drafting drafts drag dragged dragging dragon dragons drags drain drainage drained
draining drains drake drama dramas dramatic drank drape drapes drastic drat draught draussen draußen draw drawback
drawer drawers drawing drawings drawn draws dread dreaded dreadful dreading dream dreamed dreaming dreams dreary drei
drench drenched dress dressed dresser dresses dressing drew dribble dried drier drift drifted drifting drill drilled
drilling drills drin dringend drink drinking drinks drip dripping dritte drive driven driver drivers drives driveway
driveways driving drizzle drizzling droll drone drones drool droop drop dropbox dropdown dropoff dropped dropping
drops drought drove droves drown drowned drowning drowsy drug drugs drugstore drum drummer drums drunk dry dryer
dryers drying dryly drywall drüben drücken ds dsl du dual duane dub dubai dubious dublin duchess duck ducks duct ducts
dud dude dudes duds due duel dues duet dug duke dulce dull dully duly dumb dummies dummy dump dumped dumping dumpling
dumplings dumps dumpster dumpsters duncan dunce dune dunes dung dungeon dunk dunno duo dupe duped duplex duplicate
duplicated duplicates durable duration durch duress durham during dus dusk dust dusted dustin dusting dusty dutch
duties dutiful duty duvet dvd dwarf dwayne dwell dwelling dwight dwindle dye dyed dying dylan dynamic dynamics
dynamite dynasty dyslexia dz dürfen
"""
WORDS_STARTING_WITH_D = frozenset(_WORDS.split())
