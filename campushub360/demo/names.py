"""The words demo data is made of."""

FIRST_NAMES = """
Aarav Abena Ada Adam Agnes Ahmed Aiko Aisha Alan Alejandra Alice Amara Amina Ana Anders Andrea Anh Anika Anna
Antonio Arjun Astrid Ayse Barbara Beatriz Benjamin Bilal Bo Bruno Camila Carlos Carmen Cedric Chen Chidi
Chiara Clara Dalia Daniel Daria David Diego Dina Elena Eleni Elias Emeka Emil Emma Erik Esra Esther Eva Fatima
Felix Fernando Filip Finn Francesca Gabriel George Giulia Grace Greta Hana Hannah Hassan Helena Henrik Hugo
Ibrahim Ida Igor Ines Ingrid Isaac Isabel Ivan Jakub Jana Javier Jin Joanna Johan Jonas Jorge Josefine Julia
Jun Kaito Karim Karin Katarina Kofi Kwame Lars Laura Layla Lea Leila Leo Lina Linh Lucas Lucia Luis Magnus Mai
Maja Marco Maria Marta Mateo Mei Mette Mia Miguel Milan Mina Miriam Mohammed Mona Nadia Naomi Natalia Nikolai
Nina Noah Nora Olga Oliver Omar Oscar Pablo Paula Pedro Petra Phuong Priya Rafael Rania Ravi Rosa Ruth Sami
Samuel Sara Sebastian Selma Sofia Sonja Stefan Sven Tamar Tara Tariq Thomas Tomas Ulla Valeria Vera Victor
Vikram Viola Wei William Yara Yasmin Yusuf Zainab Zoe
""".split()  # noqa: SIM905 - a list would take a page

LAST_NAMES = """
Abdullah Adeyemi Agarwal Ahmed Andersen Andersson Aydin Bakker Banerjee Barbosa Bauer Becker Berg Bernard
Bianchi Boateng Bosman Brown Castro Chang Chaudhry Chen Conti Costa Cruz Dahl Diaz Diop Dubois Eklund Eriksson
Farah Fernandes Ferrari Fischer Fonseca Fontaine Fraser Fujita Garcia Georgiou Gomes Gonzalez Gruber Gupta
Haddad Hall Hansen Hassan Hernandez Hoffmann Horvat Huang Hussein Ibrahim Ito Ivanova Jansen Jensen Johansson
Jones Kamau Kaya Keller Khalil Khan Kim King Kowalski Kumar Lambert Larsen Lee Lehmann Lewis Li Lim Lindberg
Liu Lopez Madsen Mahmoud Maier Marino Martin Mendes Mensah Meyer Moreau Moreno Morris Mueller Mwangi Nagy
Nakamura Navarro Nguyen Nielsen Novak Nowak Nyberg Okafor Olsen Ortiz Osei Owusu Papadopoulos Park Patel
Pereira Petersen Petrov Popescu Rahman Ramirez Rao Reyes Ricci Rojas Romano Rossi Russo Saito Santos Sato
Schmidt Schneider Schwarz Sharma Silva Singh Smith Sokolov Sousa Steiner Suarez Suzuki Takahashi Tan Taylor
Thomas Torres Tran Turner Vargas Vasquez Virtanen Vogel Wagner Walker Wang Weber White Williams Wolf Wong
Yamamoto Yang Yilmaz Zhang Zhou Zimmermann
""".split()  # noqa: SIM905 - a list would take a page

# Code, name, and what its courses are about.
COLLEGES = {
    "SCI": "College of Science",
    "ENG": "College of Engineering",
    "HUM": "College of Humanities",
    "SOC": "College of Social Sciences",
    "HLT": "College of Health Sciences",
}

DEPARTMENTS = [
    ("PHY", "Physics", "SCI", "Mechanics|Electromagnetism|Thermodynamics|Quantum Physics|Optics|Astrophysics"),
    ("MAT", "Mathematics", "SCI", "Linear Algebra|Analysis|Topology|Probability|Number Theory|Geometry"),
    ("CHE", "Chemistry", "SCI", "Organic Chemistry|Inorganic Chemistry|Spectroscopy|Catalysis|Polymers|Kinetics"),
    ("BIO", "Biology", "SCI", "Genetics|Ecology|Cell Biology|Evolution|Zoology|Botany"),
    ("CSC", "Computer Science", "ENG", "Programming|Algorithms|Databases|Operating Systems|Networks|Compilers"),
    ("MEC", "Mechanical Engineering", "ENG", "Statics|Dynamics|Materials|Fluid Mechanics|Machine Design|Robotics"),
    ("ELE", "Electrical Engineering", "ENG", "Circuits|Signals|Electronics|Control|Power Systems|Antennas"),
    ("CIV", "Civil Engineering", "ENG", "Structures|Concrete|Hydraulics|Surveying|Geotechnics|Transport"),
    ("HIS", "History", "HUM", "Ancient History|Medieval History|Modern History|Archives|Economic History|Memory"),
    ("PHI", "Philosophy", "HUM", "Logic|Ethics|Metaphysics|Epistemology|Aesthetics|Political Philosophy"),
    ("LIN", "Linguistics", "HUM", "Phonology|Syntax|Semantics|Pragmatics|Typology|Language Acquisition"),
    ("LIT", "Literature", "HUM", "Poetry|The Novel|Drama|Criticism|World Literature|Translation"),
    ("ECO", "Economics", "SOC", "Microeconomics|Macroeconomics|Econometrics|Game Theory|Public Finance|Trade"),
    ("PSY", "Psychology", "SOC", "Cognition|Perception|Development|Personality|Social Psychology|Methods"),
    (
        "POL",
        "Political Science",
        "SOC",
        "Comparative Politics|International Relations|Public Policy|Theory|Parties|Law",
    ),
    ("SOZ", "Sociology", "SOC", "Inequality|Urban Sociology|Family|Migration|Organisations|Survey Research"),
    ("NUR", "Nursing", "HLT", "Anatomy|Patient Care|Pharmacology|Community Health|Paediatrics|Nursing Research"),
    ("PUB", "Public Health", "HLT", "Epidemiology|Biostatistics|Health Policy|Nutrition|Environment|Prevention"),
    ("PHA", "Pharmacy", "HLT", "Pharmaceutics|Toxicology|Medicinal Chemistry|Clinical Pharmacy|Dosage|Regulation"),
    ("DEN", "Dentistry", "HLT", "Oral Anatomy|Orthodontics|Periodontology|Radiology|Prosthetics|Surgery"),
]

TREATMENTS = ["Introduction to {}", "{}", "Topics in {}", "Advanced {}", "Laboratory in {}", "Seminar on {}"]
