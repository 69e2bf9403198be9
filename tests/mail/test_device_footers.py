"""What devices, trackers and people put under their words: their lines go, and prose that begins alike stays."""

import pytest

from gateway.mail.footers.contact_blocks import no_prose
from gateway.mail.footers.device_footers import is_device
from gateway.mail.parse.own_words import read_own_words

DEVICES = [
    "Yahoo Mail: Search, Organize, Conquer",
    "Secured with Tuta Mail: https://tuta.com/free-email",
    "Samsung Galaxy akıllı telefonumdan gönderildi.",
    "iPhone-omról küldve",
    "Samsung Galaxy okostelefonomról küldve.",
    "發自我的 iPhone",
    "来自我的小米手机",
    "发送自 Windows 版邮件应用",
    "---原始---发自QQ邮箱",
    "Dihantar daripada iPhone saya",
    "ارسال شده از iPhone من",
    "Nire iPhonetik bidalia",
    "Diese Mail wurde mit GMX Mobile gesendet",
    "Enviado desde mi dispositivo Android con K-9 Mail. Por favor, disculpa mi brevedad.",
    "Sent from Canary (https://canarymail.io)",
    "Sent from eM Client | www.emclient.com",
    "On the go, sorry for typos",
    "Bitte entschuldigen Sie Tippfehler, gesendet vom Smartphone",
    "Sent from my Verizon, Samsung Galaxy smartphone",
    "Sent from my T-Mobile 4G LTE Device",
    "Sent from my Galaxy S24, an AT&T 5G smartphone",
    "Sent from Samsung Galaxy smartphone.",
    "Sent via the Samsung Galaxy S21 Ultra 5G, an AT&T 5G smartphone",
    "Sent from Yahoo Mail for iPhone",
    "Sent from Outlook for Android",
    "Gesendet mit der GMX iPhone App, unterwegs",
    "Gesendet von meinem Samsung Galaxy, Netz der Telekom",
    "Von meinem iPhone gesendet",
    "Envoyé depuis mon appareil Samsung, réseau Orange",
    "Envoyé de mon téléphone Orange",
    "Enviado desde mi smartphone Samsung, de la red Vodafone",
    "Inviato dal mio telefono Huawei, rete Vodafone",
    "Enviado do meu telemóvel Samsung, rede 5G",
    "Verzonden vanaf mijn Samsung Galaxy, een 5G-telefoon",
    "Skickat från min Samsung Galaxy, mobil",
    "Sendt fra min Samsung Galaxy-telefon, over 4G",
    "Lähetetty Samsung-puhelimesta",
    "Wysłano z mojego telefonu Samsung Galaxy, sieć Orange",
    "Odesláno z mého telefonu Samsung, síť O2",
    "Отправлено с моего смартфона Samsung Galaxy, сеть 4G",
    "Надіслано з мого телефону Xiaomi, мережа 4G",
    "Trimis din telefonul meu Samsung, reteaua Orange",
    "Στάλθηκε από το κινητό μου Samsung",
    "נשלח מה-iPhone שלי",
    "أرسلت من هاتفي Samsung",
    "Đã gửi từ điện thoại Samsung Galaxy của tôi",
    "Dikirim dari ponsel Xiaomi saya",
    "Изпратено от моя телефон Samsung, мрежа 5G",
    "Poslano iz mojega telefona Samsung",
    "iPhoneから送信",
    "나의 iPhone에서 보냄",
    "\u1427",
    "Sent with Mailtrack",
    "[image: Mailtrack] Sender notified by Mailtrack 03/03/26, 10:11:12",
    "Remitente notificado con Mailtrack",
    "Tracked by Mailsuite, unsubscribe",
    "Sent via Superhuman <https://sprh.mn/?vip=kim@corp.example>",
    "Powered by Streak",
]


def mail(body: str, sender: str = "Kim Lee <kim@corp.example>") -> bytes:
    head = f"From: {sender}\nSubject: x\nContent-Type: text/plain; charset=utf-8\n\n"
    return (head + body).replace("\n", "\r\n").encode()


@pytest.mark.parametrize("line", DEVICES)
def test_lines_of_devices(line):
    assert read_own_words(mail(f"follow kim\n\n{line}")).text == "follow kim"
    assert read_own_words(mail(f"The gate is open.\n\n{line}\n\nKim Lee\n+1 415 555 0100")).text == "The gate is open."


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my office yesterday, please check the parcel",
        "Sent from the other warehouse, as you asked, and they arrived",
        "Sent from my phone? No, from yours.",
        "We sent it with Streak, and it came",
        "Mailtrack is down again.",
        "Get Kim to the phone",
        "Enviado por Rosa, con el camión de las nueve, a la red de Madrid",
    ],
)
def test_sentences_that_begin_alike(line):
    assert not is_device(line)
    assert read_own_words(mail(f"The crates:\n\n{line}")).text == f"The crates:\n\n{line}"


BLOCKS = [
    "Kim Lee\nEngineer\nDemo Co\n+1 415 555 0100\nkim@corp.example\nwww.corp.example",
    "Kim Lee (she/her)\nHead of Gates\nm: 415 555 0100",
    "Dr. Kim Lee, PhD | Gates\nhttps://corp.example/kim",
    "Lee, Kim\nCorp GmbH\nHafenstr. 5, 20457 Hamburg\nTel. 040 5550100\nFax 040 5550101\nGeschäftsführer: Pat Quinn\n"
    "Amtsgericht Hamburg HRB 55501\nwww.corp.example",
    "KIM LEE\nLogistics\n\nCorp Ltd\n1 Dock Road\nLondon E1\n\nT +44 20 5550 1000\nM +44 7700 900000\ncorp.example\n\n"
    "Book a time: https://cal.example/kim\nLinkedIn: https://social.example/kim",
    "Kim\nGate crew\nkim@corp.example",
    "Kim Lee\n☎ 415-555-0100\n\nThis e-mail is confidential and intended only for the addressee.",
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("text", ["follow sam", "The gate is open.", "The gate is open,\nand dry.\n\nCome at nine"])
def test_contact_blocks(block, text):
    assert read_own_words(mail(f"{text}\n\n{block}")).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Call them:\n\nRosa Silva\nPorter\n+1 415 555 0111\nrosa@corp.example",
        "New here:\n\nSam Ortiz\nsam@corp.example",
        "The party:\n\nWhere: yard\nAsk: kim@corp.example",
        "Kim Lee\n+1 415 555 0100",
        "My new details.\n\nKim Lee is now at the north gate, all day long, until the end of March.\nkim@corp.example",
    ],
)
def test_details_that_are_the_words(text):
    assert read_own_words(mail(text)).text == text


@pytest.mark.parametrize(
    "below",
    [
        "Mit freundlichen Grüßen\n\ni. A. Kim Lee\nLogistik\n\nCorp GmbH\nHafenstraße 5 · 20457 Hamburg\n"
        "Telefon: +49 40 5550-100",
        "Best,\n\nKim Lee | she/her\nGate crew",
        "KL",
        "[image: Mailtrack]\n<https://mailtrack.example?utm_source=gmail&x=s11&> Sender\nnotified by\nMailtrack\n"
        "<https://mailtrack.example> 03/03/26,\n09:58:12 AM",
        "मेरे iPhone से भेजा गया",
    ],
)
def test_farewells_initials_and_wrapped_marks(below):
    assert read_own_words(mail(f"The gate is open.\n\n{below}")).text == "The gate is open."
    assert read_own_words(mail("The codes:\n\nKX")).text == "The codes:\n\nKX"


def test_no_prose():
    assert all(no_prose(block.split("\n")) for block in BLOCKS)
    assert no_prose(["Rosa Silva", "+1 415 555 0111"])
    assert not no_prose(["Rosa Silva"])
    assert not no_prose(["and tell Rosa that the gate is open.", "+1 415 555 0111"])
    assert not no_prose([])


@pytest.mark.parametrize(
    "below",
    [
        "Trân trọng,\nKim",
        "בברכה,\nKim",
        "Zumbel brem,\nKim",
        "Lep pozdrav\nKim",
        "MfG Kim",
        "Mvh Kim",
        "Met vriendelijke groet / Kind regards,\nKim Lee",
    ],
)
def test_farewells_that_the_writers_own_name_ends(below):
    raw = f"From: Kim Lee <kim@corp.example>\r\n\r\nfollow sales\r\n\r\n{below}\r\n".encode()
    assert read_own_words(raw).text == "follow sales"


@pytest.mark.parametrize("text", ["Kim", "Zumbel brem,\nKim", "We met:\n\nOmar, Ann and\nKim", "We met\nOmar,\nKim"])
def test_names_that_are_the_words(text):
    assert read_own_words(f"From: Kim Lee <kim@corp.example>\n\n{text}\n".encode()).text == text
